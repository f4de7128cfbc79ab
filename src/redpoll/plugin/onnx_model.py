"""Trained models in ONNX format."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from redpoll.errors import ModelError


@dataclass(frozen=True, eq=False)
class OnnxModel:
    """A classifier: float32 features of shape (n, k) in, class probabilities of shape (n, classes) out."""

    name: str
    version: str
    n_classes: int
    session: Any = field(repr=False)

    def predict_proba(self, X: NDArray[Any]) -> NDArray[np.float32]:
        """Class probabilities, one row per row of X; ModelError if the output has another shape."""
        name = self.session.get_inputs()[0].name
        found = np.asarray(self.session.run(None, {name: np.ascontiguousarray(X, np.float32)})[-1], np.float32)
        if found.shape != (len(X), self.n_classes):
            raise ModelError(
                f"{self.name}@{self.version} has an output of shape {found.shape} for {len(X)} rows and "
                f"{self.n_classes} classes"
            )
        return found


def onnx_session(data: bytes) -> Any:
    """A session of ONNX Runtime with one thread, for the bytes of a file; ModelError if the library is missing.

    The library raises exceptions of its own for a file that it cannot use.
    """
    try:
        import onnxruntime  # some 80 MB, needed only where there is a model of this format
    except ImportError as error:
        raise ModelError("models in ONNX format need ONNX Runtime: pip install 'redpoll[models]'") from error
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 4
    nowhere = f"{os.devnull}/none"
    options.add_session_config_entry("session.model_external_initializers_file_folder_path", nowhere)
    return onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])
