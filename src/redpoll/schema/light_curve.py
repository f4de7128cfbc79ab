"""Light curves of a batch as one ragged array: values end to end, and offsets."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from redpoll.schema.bands import BANDS, DETECTION, KINDS

BAND_TYPE = pa.dictionary(pa.int8(), pa.string())
POINT_TYPE = pa.struct(
    [
        pa.field("mjd", pa.float64()),
        pa.field("band", BAND_TYPE),
        pa.field("flux", pa.float32()),
        pa.field("flux_err", pa.float32()),
        pa.field("kind", BAND_TYPE),
    ]
)
LIGHT_CURVE_TYPE = pa.list_(POINT_TYPE)


_ALL = 20
"""Number of detections from which on a light curve grows in steps."""


def _steps(most: int) -> NDArray[np.int64]:
    """0, 1, 2, ..., 20, 22, ...: from 20 on, each a tenth more than the one before."""
    steps = list(range(_ALL + 1))
    while steps[-1] < most:
        steps.append(steps[-1] + steps[-1] // 10)
    return np.array(steps)


_STEPS = _steps(10_000_000)


@dataclass(frozen=True)
class LightCurves:
    """Light curves of a batch; curve ``i`` is ``values[offsets[i]:offsets[i + 1]]``, time-sorted.

    ``mjd`` is TAI days, ``flux`` and ``flux_err`` nJy with NaN where unknown, ``band`` the index into
    ``BANDS`` and ``kind`` the index into ``KINDS``, both int8 with -1 where unknown. The flux of an
    upper limit is NaN and its flux_err the one-sigma depth. The alert's triggering detection is the last one.

    >>> empty = LightCurves.from_arrow(pa.array([[], None], LIGHT_CURVE_TYPE))
    >>> len(empty), empty.triggering.tolist()
    (2, [-1, -1])
    """

    offsets: NDArray[np.int64]
    mjd: NDArray[np.float64]
    band: NDArray[np.int8]
    flux: NDArray[np.float32]
    flux_err: NDArray[np.float32]
    kind: NDArray[np.int8]

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def __getitem__(self, i: int) -> LightCurves:
        """The light curve of alert `i` alone, without a copy."""
        i = range(len(self))[i]
        points = slice(self.offsets[i], self.offsets[i + 1])
        return self._sliced(np.array([0, points.stop - points.start]), points)

    def __iter__(self) -> Iterator[LightCurves]:
        """The light curve of each alert alone."""
        return map(self.__getitem__, range(len(self)))

    @property
    def triggering(self) -> NDArray[np.int64]:
        """Index of the triggering detection of each alert, which is its last point; -1 for a curve without points."""
        return np.where(np.diff(self.offsets) > 0, self.offsets[1:] - 1, -1)

    def of_kind(self, *kinds: int) -> LightCurves:
        """The light curves with only the points of these kinds, for reading; a second call answers the same object."""
        if kinds not in self._of_kinds:
            is_wanted = np.zeros(len(KINDS) + 1, bool)  # the last is for -1, the unknown kind
            is_wanted[list(kinds)] = True
            self._of_kinds[kinds] = self._shared(is_wanted[self.kind])
        return self._of_kinds[kinds]

    @cached_property
    def _of_kinds(self) -> dict[tuple[int, ...], LightCurves]:
        return {}

    @cached_property
    def stepwise(self) -> LightCurves:
        """The light curves up to a detection that stays the same until they have grown by a tenth; for reading.

        Up to 20 detections, all count. Of more, those up to the 20th, 22nd, 24th, ..., 30th, 33rd, and so forth, count
        from the next detection on: a survey may correct the values of a detection in the packet after its own. What is
        computed from a stepwise light curve is the same for the next alerts of its object, and need not be computed
        again. Points after the last detection that counts are left out; a curve without detections is kept.
        """
        is_detection = self.kind == DETECTION
        n_before = np.concatenate([[0], np.cumsum(is_detection)])
        first = n_before[self.offsets[:-1]]
        n = n_before[self.offsets[1:]] - first
        steps = _STEPS[np.searchsorted(_STEPS, np.where(n > _ALL, n - 1, n), side="right") - 1]
        n_counted = np.where(n > 0, steps, 1)
        return self._shared(n_before[:-1] < np.repeat(first + n_counted, np.diff(self.offsets)))

    def since(self, start: NDArray[np.floating[Any]]) -> LightCurves:
        """The light curves with only the points at or after a time [MJD], one time per alert."""
        return self.kept(self.mjd >= np.repeat(start, np.diff(self.offsets)))

    def newest(self, n: int) -> LightCurves:
        """The light curves with at most the last `n` points of each."""
        after = np.repeat(self.offsets[1:], np.diff(self.offsets)) - np.arange(len(self.mjd))
        return self.kept(after <= n)

    def kept(self, keep: NDArray[np.bool_]) -> LightCurves:
        """The light curves with only the points where `keep` is true."""
        if keep.all():
            return self
        points = np.flatnonzero(keep)  # several times as fast as a mask for each array
        return self._sliced(np.searchsorted(points, self.offsets), points)

    def _shared(self, keep: NDArray[np.bool_]) -> LightCurves:
        """As `kept`, for several readers: the arrays are read-only, as those of a batch are."""
        found = self.kept(keep)
        if found is not self:
            freeze((found.mjd, found.band, found.flux, found.flux_err, found.kind))
        return found

    def of_alerts(self, alerts: NDArray[np.int64]) -> LightCurves:
        """The light curves of the alerts with these numbers, in increasing order."""
        is_wanted = np.zeros(len(self), bool)
        is_wanted[alerts] = True
        sizes = np.diff(self.offsets)
        offsets = np.concatenate([[0], np.cumsum(sizes[is_wanted])])
        return self._sliced(offsets, np.flatnonzero(np.repeat(is_wanted, sizes)))

    def _sliced(self, offsets: NDArray[np.int64], points: slice | NDArray[np.intp]) -> LightCurves:
        band, flux, flux_err = self.band[points], self.flux[points], self.flux_err[points]
        return LightCurves(offsets, self.mjd[points], band, flux, flux_err, self.kind[points])

    @classmethod
    def from_arrow(cls, array: pa.Array) -> LightCurves:
        """View of an Arrow ``light_curve`` column; copies only what holds nulls or a foreign dictionary."""
        array = array.combine_chunks() if isinstance(array, pa.ChunkedArray) else array
        offsets = array.offsets.to_numpy().astype(np.int64)
        points = array.values.slice(offsets[0], offsets[-1] - offsets[0])
        offsets = offsets - offsets[0]
        mjd, band, flux, flux_err, kind = points.flatten()
        times, fluxes, errors = (c.to_numpy(zero_copy_only=False) for c in (mjd, flux, flux_err))
        return cls(offsets, times, _codes(band, BANDS), fluxes, errors, _codes(kind, KINDS))

    def to_arrow(self) -> pa.ListArray:
        """The Arrow ``light_curve`` column; NaN becomes null."""
        points = pa.StructArray.from_arrays(
            [
                pa.array(self.mjd),
                _dictionary(self.band, BANDS),
                _nullable(self.flux),
                _nullable(self.flux_err),
                _dictionary(self.kind, KINDS),
            ],
            fields=list(POINT_TYPE),
        )
        return pa.ListArray.from_arrays(pa.array(self.offsets, pa.int32()), points, type=LIGHT_CURVE_TYPE)


def freeze(arrays: Iterable[NDArray[Any]]) -> None:
    """Make arrays read-only."""
    for array in arrays:
        array.flags.writeable = False


def concatenated(parts: Sequence[LightCurves]) -> LightCurves:
    """The light curves of the first part, then those of the next, and so on; of one part at least."""
    if len(parts) == 1:
        return parts[0]
    ends = np.cumsum([0, *(len(part.mjd) for part in parts)])
    offsets = [part.offsets[1:] + end for part, end in zip(parts, ends, strict=False)]
    columns = ("mjd", "band", "flux", "flux_err", "kind")
    values = (np.concatenate([getattr(part, name) for part in parts]) for name in columns)
    return LightCurves(np.concatenate([[0], *offsets]), *values)


def _nullable(values: NDArray[np.float32]) -> pa.Array:
    """Arrow array over the values in memory, null where they are NaN."""
    is_known = ~np.isnan(values)
    bits = None if is_known.all() else pa.py_buffer(np.packbits(is_known, bitorder="little"))
    return pa.Array.from_buffers(pa.float32(), len(values), [bits, pa.py_buffer(np.ascontiguousarray(values))])


def _dictionary(codes: NDArray[np.int8], names: tuple[str, ...]) -> pa.DictionaryArray:
    known = pa.array(codes, mask=codes < 0) if (codes < 0).any() else pa.array(codes)
    return pa.DictionaryArray.from_arrays(known, pa.array(names))


def _codes(array: Any, names: tuple[str, ...]) -> NDArray[np.int8]:
    if not pa.types.is_dictionary(array.type):
        array = array.dictionary_encode()
    order = np.array([names.index(n) if n in names else -1 for n in array.dictionary.to_pylist()], np.int8)
    known = array.indices.fill_null(-1) if array.null_count else array.indices
    indices: NDArray[np.int64] = known.to_numpy(zero_copy_only=False)
    if np.array_equal(order, np.arange(len(order))):
        return indices.astype(np.int8, copy=False)
    return np.where(indices >= 0, order[indices] if len(order) else -1, -1).astype(np.int8)
