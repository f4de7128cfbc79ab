from __future__ import annotations

import doctest
from pathlib import Path

import pandas as pd
import pytest

from redpoll.errors import SchemaError
from redpoll.schema.taxonomy import parse_taxonomy, taxonomy

TREE = taxonomy()
# The 43 types under "(TNS)" that Fink's /api/v1/classes lists.
TNS = """\
AGN|Afterglow|CV|FRB|Galaxy|ILRT|Impostor-SN|Kilonova|LBV|LRN|Light-Echo|M dwarf|Nova|Other|QSO|SLSN-I|SLSN-II|SN
SN I|SN II|SN II-pec|SN IIL|SN IIP|SN IIb|SN IIn|SN IIn-pec|SN Ia|SN Ia-91T-like|SN Ia-91bg-like|SN Ia-CSM|SN Ia-pec
SN Iax[02cx-like]|SN Ib|SN Ib-Ca-rich|SN Ib-pec|SN Ib/c|SN Ibn|SN Ic|SN Ic-BL|SN Ic-pec|SN Icn|TDE|Varstar"""
# SIMBAD's labels under "(SIMBAD)" there, the old ones and those of 2020.
SIMBAD = """\
Radio(m) Radio(cm) Radio(mm) Radio(sub-mm) HI radioBurst Maser Radio IR>30um IR<10um IR RedExtreme Red Blue UV ULX?
ULX X gammaBurst gamma Inexistent LensingEv Candidate_LensSystem Candidate_LensSyste Candidate_Lens
Possible_lensImage GravLens GravLensSystem GravWaveEvent Gravitation Possible_G Possible_SClG Possible_ClG
Possible_GrG Possible_As* Candidate_** Candidate_EB* Candidate_Symb* Candidate_CV* Candidate_Nova Candidate_XB*
Candidate_LMXB Candidate_HMXB Candidate_Pec* Candidate_YSO Candidate_pMS* Candidate_TTau* Candidate_C* Candidate_S*
Candidate_OH Candidate_CH Candidate_WR* Candidate_Be* Candidate_Ae* Candidate_HB* Candidate_RRLyr Candidate_Cepheid
Candidate_RGB* Candidate_SG* Candidate_RSG* Candidate_YSG* Candidate_BSG* Candidate_AGB* Candidate_LP* Candidate_Mi*
Candiate_sr* Candidate_post-AGB* Candidate_BSS Candidate_Hsd Candidate_WD* Candidate_NS Candidate_BH Candidate_SN*
Candidate_low-mass* Candidate_brownD* Candidates Region Void SuperClG ClG GroupG Compact_Gr_G PairG IG Cl*? GlCl?
Cl* GlCl OpCl Assoc* Stream* MouvGroup ** EB* EB*Algol EB*betLyr EB*WUMa EB*Planet SB* EllipVar Symbiotic* CataclyV*
DQHer AMHer Nova-like Nova DwarfNova XB LMXB HMXB multiple_object PartofCloud PN? ComGlob Bubble EmObj Cloud GalNeb
BrNeb DkNeb RfNeb MolCld Globule denseCore SFregion HVCld HII PN HIshell SNR? SNR Circumstellar outflow? Outflow HH
ISM *inCl *inNeb *inAssoc *in** V*? Pec* HB* YSO Ae* Em* Be* BlueStraggler RGB* AGB* C* S* SG* RedSG* YellowSG*
BlueSG* HotSubdwarf post-AGB* WD* pulsWD* low-mass* brownD* Neutron* OH/IR CH pMS* TTau* WR* PM* HV* V* Irregular_V*
Orion_V* Rapid_Irreg_V* Eruptive* Flare* FUOr Erupt*RCrB RCrB_Candidate RSG*_Candidate RotV* RotV*alf2CVn Pulsar
BYDra RSCVn PulsV* RRLyr Cepheid PulsV*delSct PulsV*RVTau PulsV*WVir PulsV*bCep deltaCep gammaDor pulsV*SX LPV* Mira
semi-regV* SN Sub-stellar Planet? Planet Star PartofG GinCl BClG GinGroup GinPair High_z_G AbsLineSystem
Ly-alpha_ALS DLy-alpha_ALS metal_ALS Ly-limit_ALS Broad_ALS RadioG HII_G LSB_G AGN_Candidate QSO_Candidate
Blazar_Candidate BLLac_Candidate EmG StarburstG BlueCompG LensedImage LensedG LensedQ AGN LINER Seyfert Seyfert_1
Seyfert_2 Blazar BLLac OVV QSO Galaxy Transient metricRad cmRad mmRad smmRad Infrared FarIR MidIR NearIR blue
ULX_Candidate LensSystem_Candidate GravLensSystem_Candidate Lens_Candidate lensImage_Candidate G_Candidate
Galaxy_Candidate SClG_Candidate ClG_Candidate GrG_Candidate As*_Candidate **_Candidate EB*_Candidate
EclBin_Candidate Symb*_Candidate CV*_Candidate Nova_Candidate XB*_Candidate LMXB_Candidate HMXB_Candidate
ChemPec*_Candidate YSO_Candidate TTau*_Candidate C*_Candidate S*_Candidate OH_Candidate WR*_Candidate Be*_Candidate
Ae*_Candidate HB*_Candidate RRLyr_Candidate Cepheid_Candidate Type2Cep_Candidate RGB*_Candidate SG*_Candidate
YSG*_Candidate BSG*_Candidate AGB*_Candidate LP*_Candidate Mi*_Candidate post-AGB*_Candidate BSS_Candidate
Hsd_Candidate WD*_Candidate NS_Candidate BH_Candidate SN*_Candidate low-mass*_Candidate brownD*_Candidate Blend
InteractingG Cluster*_Candidate GlCl_Candidate Cluster* GlobCluster OpenCluster Association Stream EclBin XrayBin
LowMassXBin HighMassXBin PN_Candidate DarkNeb RefNeb StarFormingReg HIIReg PlanetaryNeb SNR_Candidate SNRemnant
outflow_Candidate HerbigHaroObj V*_Candidate ChemPec* HorBranch* EmLine* Supergiant RedSG YellowSG BlueSG WhiteDwarf
Low-Mass* BrownD* OH/IR* TTauri* WolfRayet* HighPM* HighVel* Variable* IrregularV* OrionV* RCrBV* alf2CVnV* BYDraV*
RSCVnV* RRLyrae delSctV* RVTauV* Type2Cep bCepV* ClassicalCep gammaDorV* SXPheV* LongPeriodV* Supernova
Planet_Candidate GtowardsCl BrightestCG GtowardsGroup HIIG LowSurfBrghtG EmissionG BlueCompactG Seyfert1 Seyfert2
Massiv* Massiv*_Candidate bCepV*_Candidate MainSequence* MainSequence*_Candidate alf2CVnV*_Candidate Evolved*
Evolved*_Candidate RVTauV*_Candidate EllipVar_Candidate SB*_Candidate BYDraV*_Candidate RSCVnV*_Candidate
Eruptive*_Candidate RotV*_Candidate PulsV*_Candidate Filament BlackHole Optical"""
FINK = """Early SN Ia candidate|Kilonova candidate|SN candidate|SLSN candidate|Microlensing candidate|Tracklet
Solar System MPC|Solar System candidate|Ambiguous|(CTA) Blazar low state|(CTA) Blazar high state|Unknown"""


def _unmapped(vocabulary: str, words: list[str]) -> list[str]:
    return [w for w in words if TREE.of(vocabulary, w) is None and not TREE.is_silent(vocabulary, w)]


@pytest.mark.parametrize(
    ("vocabulary", "words", "n"),
    [
        ("tns", TNS.replace("\n", "|").split("|"), 43),
        ("simbad", SIMBAD.split(), 316),
        ("fink", FINK.replace("\n", "|").split("|"), 12),
    ],
)
def test_every_word_that_finks_api_lists_has_a_class(vocabulary: str, words: list[str], n: int) -> None:
    assert _unmapped(vocabulary, words) == []
    assert len(words) >= n


@pytest.mark.parametrize(("name", "column"), [("vsx", "VType"), ("gcvs", "VarType")])
def test_ninety_nine_of_a_hundred_catalogued_stars_have_a_class(
    data_dir, name: str, column: str, record_property
) -> None:
    counts = pd.read_parquet(data_dir / "catalogs" / f"{name}.parquet", columns=[column])[column].value_counts()
    unmapped = {word: int(n) for word, n in counts.items() if not TREE.all_of(name, word)}
    record_property(f"{name} without a class", unmapped)
    assert sum(unmapped.values()) <= 0.01 * counts.sum(), unmapped


@pytest.mark.parametrize(
    ("vocabulary", "word", "classes"),
    [
        ("vsx", "EA/RS", ("eclipsing_ea",)),
        ("vsx", "RRAB:                 ", ("rr_lyrae_ab",)),
        ("gcvs", "RR(B)", ("rr_lyrae",)),
        ("vsx", "EC|RRC|ESD", ("variable_star",)),
        ("vsx", "EW|EA", ("eclipsing_binary",)),
        ("vsx", "SR|no_such_type", ()),
        ("vsx", "UGSU+E", ("dwarf_nova", "eclipsing_binary")),
        ("vsx", "E+EA", ("eclipsing_ea",)),
        ("vsx", "EA+X_no_such", ("eclipsing_ea",)),
        ("gcvs", "CST:", ("star",)),
        ("gcvs", "|", ()),
        ("vsx", "EA|" * 10_000, ()),
        ("milliquas", "QRX", ("qso",)),
        ("milliquas", "BX", ("bl_lac",)),
        ("4lac", "FSRQ", ("fsrq",)),
        ("ned", "!*", ("star",)),
        ("ned", "G", ("galaxy",)),
        ("gaia", "DSCT|GDOR|SXPHE", ("pulsating_star",)),
        ("simbad", "EB*|RR*", ()),
        ("simbad", "Sy*", ("symbiotic_star",)),
        ("simbad", "SyG", ("seyfert",)),
        ("spicy", "uncertain", ()),
    ],
)
def test_a_word_means_what_the_rules_say(vocabulary: str, word: str, classes: tuple[str, ...]) -> None:
    assert TREE.all_of(vocabulary, word) == classes


def test_the_examples_of_the_documentation_hold() -> None:
    page = Path(__file__).parents[3] / "docs" / "explanation" / "classes.md"
    assert doctest.testfile(str(page), module_relative=False, encoding="utf-8") == doctest.TestResults(0, 5)


def test_what_says_nothing_is_not_unknown() -> None:
    assert TREE.is_silent("vsx", ":") and TREE.is_silent("simbad", "Fail 504") and TREE.is_silent("spicy", "uncertain")
    assert not TREE.is_silent("simbad", "no such type")


def test_every_class_is_real_or_an_artefact() -> None:
    roots = {name for name in TREE.classes if not TREE.ancestors(name)}
    assert roots == {"real", "artefact"}


def test_nothing_is_common_to_an_artefact_and_a_star() -> None:
    assert TREE.common(["artefact", "star"]) is None
    assert TREE.common([]) is None
    assert TREE.common(["sn_ia_91t", "sn_ia"]) == "sn_ia"


def test_an_unknown_class_or_vocabulary_is_refused_with_those_there_are() -> None:
    with pytest.raises(SchemaError, match="near: sn_ia"):
        TREE.check("snia")
    with pytest.raises(SchemaError, match=r"known: .*simbad"):
        TREE.of("simbat", "QSO")


_CLASS = '[classes.{}]\nin = "{}"\ntitle = "T"\nmeans = "M"\nvsx = ["W"]\n'


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("not toml", "TOMLDecodeError"),
        ("[classes]", "version"),
        ('version = "1"\n[classes.a]\ntitle = "A"', "means"),
        ('version = "1"\n[classes]\na = 1', "AttributeError|SchemaError|object"),
        ('version = "1"\n[classes."A b"]\ntitle = "A"\nmeans = "B"', "is no valid name"),
        ('version = "1"\n' + _CLASS.format("a", "b"), "unknown or one of its descendants"),
        ('version = "1"\n' + _CLASS.format("a", "b") + _CLASS.format("b", "a"), "unknown or one of its descendants"),
        ('version = "1"\n[classes.b]\ntitle = "T"\nmeans = "M"\nvsx = ["W"]\n' + _CLASS.format("a", "b"), "b or a"),
    ],
)
def test_a_broken_taxonomy_is_refused(text: str, wrong: str) -> None:
    with pytest.raises(SchemaError, match=wrong):
        parse_taxonomy(text)
