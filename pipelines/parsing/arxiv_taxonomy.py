"""Names of arXiv's categories, as `oai_dc` records write them in place of their codes.

Belongs here: the taxonomy (arxiv.org/category_taxonomy), as facts. Does not belong here:
which categories a population follows (dbt's seed `arxiv_categories`).
"""

from __future__ import annotations

# Archive, its name, and `code name` of its subjects. An archive without subjects is a category.
_TAXONOMY = """
astro-ph|Astrophysics|CO Cosmology and Nongalactic Astrophysics;\
EP Earth and Planetary Astrophysics;GA Astrophysics of Galaxies;\
HE High Energy Astrophysical Phenomena;\
IM Instrumentation and Methods for Astrophysics;SR Solar and Stellar Astrophysics
cond-mat|Condensed Matter|dis-nn Disordered Systems and Neural Networks;\
mes-hall Mesoscale and Nanoscale Physics;mtrl-sci Materials Science;other Other Condensed Matter;\
quant-gas Quantum Gases;soft Soft Condensed Matter;stat-mech Statistical Mechanics;\
str-el Strongly Correlated Electrons;supr-con Superconductivity
cs|Computer Science|AI Artificial Intelligence;AR Hardware Architecture;\
CC Computational Complexity;CE Computational Engineering, Finance, and Science;\
CG Computational Geometry;CL Computation and Language;CR Cryptography and Security;\
CV Computer Vision and Pattern Recognition;CY Computers and Society;DB Databases;\
DC Distributed, Parallel, and Cluster Computing;DL Digital Libraries;DM Discrete Mathematics;\
DS Data Structures and Algorithms;ET Emerging Technologies;\
FL Formal Languages and Automata Theory;GL General Literature;GR Graphics;\
GT Computer Science and Game Theory;HC Human-Computer Interaction;IR Information Retrieval;\
IT Information Theory;LG Machine Learning;LG Learning;LO Logic in Computer Science;\
MA Multiagent Systems;MM Multimedia;MS Mathematical Software;NA Numerical Analysis;\
NE Neural and Evolutionary Computing;NI Networking and Internet Architecture;\
OH Other Computer Science;OS Operating Systems;PF Performance;PL Programming Languages;\
RO Robotics;SC Symbolic Computation;SD Sound;SE Software Engineering;\
SI Social and Information Networks;SY Systems and Control
econ|Economics|EM Econometrics;GN General Economics;TH Theoretical Economics
eess|Electrical Engineering and Systems Science|AS Audio and Speech Processing;\
IV Image and Video Processing;SP Signal Processing;SY Systems and Control
gr-qc|General Relativity and Quantum Cosmology|
hep-ex|High Energy Physics - Experiment|
hep-lat|High Energy Physics - Lattice|
hep-ph|High Energy Physics - Phenomenology|
hep-th|High Energy Physics - Theory|
math-ph|Mathematical Physics|
math|Mathematics|AC Commutative Algebra;AG Algebraic Geometry;AP Analysis of PDEs;\
AT Algebraic Topology;CA Classical Analysis and ODEs;CO Combinatorics;CT Category Theory;\
CV Complex Variables;DG Differential Geometry;DS Dynamical Systems;FA Functional Analysis;\
GM General Mathematics;GN General Topology;GR Group Theory;GT Geometric Topology;\
HO History and Overview;IT Information Theory;KT K-Theory and Homology;LO Logic;\
MG Metric Geometry;MP Mathematical Physics;NA Numerical Analysis;NT Number Theory;\
OA Operator Algebras;OC Optimization and Control;PR Probability;QA Quantum Algebra;\
RA Rings and Algebras;RT Representation Theory;SG Symplectic Geometry;SP Spectral Theory;\
ST Statistics Theory
nlin|Nonlinear Sciences|AO Adaptation and Self-Organizing Systems;CD Chaotic Dynamics;\
CG Cellular Automata and Lattice Gases;PS Pattern Formation and Solitons;\
SI Exactly Solvable and Integrable Systems
nucl-ex|Nuclear Experiment|
nucl-th|Nuclear Theory|
physics|Physics|acc-ph Accelerator Physics;ao-ph Atmospheric and Oceanic Physics;\
app-ph Applied Physics;atm-clus Atomic and Molecular Clusters;atom-ph Atomic Physics;\
bio-ph Biological Physics;chem-ph Chemical Physics;class-ph Classical Physics;\
comp-ph Computational Physics;data-an Data Analysis, Statistics and Probability;\
ed-ph Physics Education;flu-dyn Fluid Dynamics;gen-ph General Physics;geo-ph Geophysics;\
hist-ph History and Philosophy of Physics;ins-det Instrumentation and Detectors;\
med-ph Medical Physics;optics Optics;plasm-ph Plasma Physics;pop-ph Popular Physics;\
soc-ph Physics and Society;space-ph Space Physics
q-bio|Quantitative Biology|BM Biomolecules;CB Cell Behaviour;GN Genomics;MN Molecular Networks;\
NC Neurons and Cognition;OT Other Quantitative Biology;PE Populations and Evolution;\
QM Quantitative Methods;SC Subcellular Processes;TO Tissues and Organs
q-fin|Quantitative Finance|CP Computational Finance;EC Economics;GN General Finance;\
MF Mathematical Finance;PM Portfolio Management;PR Pricing of Securities;RM Risk Management;\
ST Statistical Finance;TR Trading and Market Microstructure
quant-ph|Quantum Physics|
stat|Statistics|AP Applications;CO Computation;ME Methodology;ML Machine Learning;\
OT Other Statistics;TH Statistics Theory
"""


def _key(name: str) -> str:
    """The name in lower case, in the spelling of either side of the Atlantic."""
    return " ".join(name.lower().split()).replace("our", "or")


def _codes() -> dict[str, str]:
    """`archive - subject` or `archive`, in lower case → category."""
    found: dict[str, str] = {}
    for line in _TAXONOMY.strip().splitlines():
        archive, name, subjects = line.split("|")
        found[_key(name)] = archive
        for subject in filter(None, subjects.split(";")):
            code, _, title = subject.partition(" ")
            found[_key(f"{name} - {title}")] = f"{archive}.{code}"
    return found


CODES = _codes()
# Archives that have subjects and are no category of their own today.
_ONLY_ARCHIVES = {"cs", "econ", "eess", "math", "nlin", "physics", "q-bio", "q-fin", "stat"}


def category_of(name: str) -> str | None:
    """`cs.LG` for `Computer Science - Machine Learning`; None for a name that is not arXiv's."""
    code = CODES.get(_key(name))
    return None if code in _ONLY_ARCHIVES else code


def category_of_set(spec: str) -> str | None:
    """`cs.LG` for the OAI set `cs:cs:LG`, `hep-th` for `physics:hep-th`; None for a whole group."""
    _, *rest = spec.strip().split(":")
    category = ".".join(rest)
    return category if category in CODES.values() and category not in _ONLY_ARCHIVES else None
