"""What the built-in rules understand by words with several meanings.

Each case is a title and an abstract, with topics that the paper must have and must not have. One
class per kind of wrong rule that reading samples has found.
"""

from __future__ import annotations

from typing import Final

import polars as pl
import pytest

from pipelines.topics.in_force import BUILT_IN_DIR, PHRASES, TOPICS
from pipelines.topics.scoring import THRESHOLD, score_papers
from pipelines.topics.taxonomy import Taxonomy
from pipelines.topics.taxonomy_files import load_taxonomy

pytestmark = pytest.mark.unit


@pytest.fixture(scope="module")
def built_in() -> Taxonomy:
    return load_taxonomy(BUILT_IN_DIR / TOPICS, BUILT_IN_DIR / PHRASES)


def topics_of(title: str, abstract: str, rules: Taxonomy) -> set[str]:
    """The topics that the rules give to one paper."""
    paper = pl.DataFrame(
        {"paper_id": ["p"], "title": [title], "abstract": [abstract], "keywords": [None]},
        schema_overrides={"keywords": pl.List(pl.String)},
    )
    return set(score_papers(paper, rules).filter(pl.col("score") >= THRESHOLD)["topic_id"])


ACRONYMS: Final = [
    pytest.param(
        "Stealthy suffixes", "The attack success rate (ASR) is high. ASR falls slowly. ASR stays.",
        "", "speech-recognition", id="asr: attack success rate",
    ),
    pytest.param(
        "Streaming models for noisy streets", "Our ASR system lowers the error of the ASR model.",
        "speech-recognition", "", id="asr: speech recognition",
    ),
    pytest.param(
        "More compute for hard questions",
        "We study test-time scaling (TTS). TTS with verifiers beats other test-time scaling.",
        "test-time-compute", "text-to-speech", id="tts: test-time scaling",
    ),
    pytest.param(
        "Natural voices", "We train text-to-speech (TTS) models. TTS becomes expressive.",
        "text-to-speech", "test-time-compute", id="tts: text to speech",
    ),
    pytest.param(
        "Watching films", "Visual LLMs (VLLMs) see many frames. A VLLM answers. VLLMs fail.",
        "", "inference-systems", id="vllm: visual language models",
    ),
    pytest.param(
        "A scheduler", "It doubles throughput over vLLM. LLM serving systems such as vLLM stall.",
        "inference-systems", "", id="vllm: the engine",
    ),
    pytest.param(
        "Pulling heavy loads", "The robot ties a rope. The rope slips. We model rope friction.",
        "", "long-context", id="rope: a cord",
    ),
    pytest.param(
        "Longer inputs", "Context extension changes the RoPE base. We study long-context models.",
        "long-context", "", id="rope: rotary embedding",
    ),
    pytest.param(
        "What listeners learn", "Speech foundation models (SFMs) differ. SFMs scale. SFMs hear.",
        "", "novel-view-3d-reconstruction", id="sfm: speech foundation models",
    ),
    pytest.param(
        "Cheap sensors in the field", "LoRa gateways receive LoRa devices' packets. LoRa networks.",
        "", "peft", id="lora: long-range radio",
    ),
    pytest.param(
        "Zooming in", "Our method gains 4 points on V*Bench and 3 points on V* Bench.",
        "", "video-generation", id="v bench: visual search",
    ),
    pytest.param(
        "RADAR: auditing reports", "We present RADAR. RADAR checks tables. RADAR is fast.",
        "", "wireless", id="radar: a name",
    ),
    pytest.param(
        "Radar signal processing on roads", "An automotive radar measures range and Doppler.",
        "wireless signal-processing", "", id="radar: the sensor",
    ),
]  # fmt: skip

COMMON_WORDS: Final = [
    pytest.param(
        "New bounds for cyclic codes", "We give codes with large minimum distance. Each code over "
        "a finite field has a dual code, and list decoding is fast.",
        "coding-theory", "code-generation software-engineering", id="code: error correction",
    ),
    pytest.param(
        "Low-density codes for storage", "LDPC codes reach capacity. Channel coding with short "
        "codes needs a good decoder. The code rate is high.",
        "coding-theory", "code-generation", id="coding: of channels",
    ),
    pytest.param(
        "Assigning medical codes", "Hospitals assign codes to records. A coder picks a code.",
        "", "code-generation", id="code: of diseases",
    ),
    pytest.param(
        "Tests for programs that models write", "Code generation with language models is common. "
        "Coding agents write code. We test code generation.",
        "code-generation", "coding-theory", id="code: programs",
    ),
    pytest.param(
        "Two tricks", "We train a network. Code, models and data are released. Code, models and "
        "data are open.",
        "", "code-generation datasets", id="code: the release note",
    ),
    pytest.param(
        "Graphs in newspapers", "We plot each graph twice. Readers see the graph first.",
        "", "graph-learning", id="graph: a drawing",
    ),
    pytest.param(
        "Node classification on graphs", "A graph neural network passes messages.",
        "graph-learning", "", id="graph: the data",
    ),
    pytest.param(
        "Physics of juggling", "A policy obeys physics. The physics engine is fast. Physics helps.",
        "", "physics-pde", id="physics: plausibility",
    ),
    pytest.param(
        "An astronomical bill", "Training costs are astronomical. Prices are astronomical.",
        "", "physics-pde", id="astronomical: large",
    ),
    pytest.param(
        "Soft voting of five networks", "Voting improves accuracy. We compare voting with a mean.",
        "", "social-choice", id="voting: of an ensemble",
    ),
    pytest.param(
        "Approval voting with few ballots", "In social choice, a voting rule picks winners.",
        "social-choice", "", id="voting: elections",
    ),
    pytest.param(
        "Harnessing context", "We harness large models and harness the power of data.",
        "", "agent-harnesses", id="harness: to use",
    ),
    pytest.param(
        "Evolving agent harnesses", "The harness decides what an agent sees. Harness evolution "
        "edits tools and prompts.",
        "agent-harnesses llm-agents", "", id="harness: software around a model",
    ),
    pytest.param(
        "Control of a wastewater plant", "The plant is nonlinear. The plant is slow. A plant.",
        "", "climate-earth", id="plant: a machine",
    ),
]  # fmt: skip

PHRASES_WITH_SEVERAL_MEANINGS: Final = [
    pytest.param(
        "Calibrated post-training quantization", "Post-training quantization to 4 bit is cheap.",
        "quantisation", "instruction-tuning", id="post training: of weights",
    ),
    pytest.param(
        "Reinforcement fine-tuning of policies", "Reinforcement fine-tuning beats imitation.",
        "reinforcement-learning", "instruction-tuning", id="fine tuning: by reinforcement",
    ),
    pytest.param(
        "Supervised fine-tuning revisited", "Fine-tuning large language models needs few labels.",
        "instruction-tuning", "", id="fine tuning: supervised",
    ),
    pytest.param(
        "Discrete diffusion for graphs of molecules", "Discrete diffusion generates each molecule.",
        "", "diffusion-language-models", id="discrete diffusion: of other data",
    ),
    pytest.param(
        "Diffusion language models decode in parallel", "A diffusion language model is fast.",
        "diffusion-language-models", "", id="discrete diffusion: of text",
    ),
    pytest.param(
        "Effects of tariffs on policy", "We study effects on policy and reports on policy.",
        "", "reinforcement-learning", id="on policy: politics",
    ),
    pytest.param(
        "Generating a long video", "Video generation drifts. We improve video generation.",
        "video-generation", "video-understanding", id="long video: generated",
    ),
    pytest.param(
        "Speech understanding and generation", "One codec serves speech understanding and "
        "generation.",
        "", "unified-multimodal", id="understanding and generation: of speech",
    ),
    pytest.param(
        "Self-play makes reasoners improve", "In self-play, a model poses tasks and solves them.",
        "self-evolving-agents", "games", id="self play: of a model",
    ),
    pytest.param(
        "Genie-aided bounds", "A genie-aided argument bounds the capacity. The genie is strong.",
        "", "world-models interactive-world-models", id="genie: in a proof",
    ),
    pytest.param(
        "Reading multimodal reports with a language model", "A model reads scanned forms.",
        "", "multimodal-learning", id="multimodal: in a title only",
    ),
    pytest.param(
        "Fusing radar and cameras", "Multimodal fusion with a missing modality, by sensor fusion.",
        "multimodal-learning", "", id="multimodal: fusion of sensors",
    ),
    pytest.param(
        "Two bits per weight", "Vector quantization of weights. Our vector quantization is fast.",
        "", "visual-autoregressive", id="vector quantization: of weights",
    ),
    pytest.param(
        "Autoregressive image generation", "We use a visual tokenizer and next-scale prediction.",
        "visual-autoregressive", "", id="autoregressive: images",
    ),
    pytest.param(
        "Zero-shot text-to-speech for many voices", "The voice of a new speaker is cloned.",
        "", "few-shot", id="zero shot: of a generator",
    ),
    pytest.param(
        "Zero-shot recognition of rare birds", "Classes without a labelled example are named.",
        "few-shot", "", id="zero shot: unseen classes",
    ),
    pytest.param(
        "Debiasing scene graphs", "We correct long-tailed predicates.",
        "", "fairness", id="debiasing: of frequencies",
    ),
    pytest.param(
        "A swarm of robots", "The multi-robot swarm plans motions.",
        "", "control-systems", id="swarm: of robots",
    ),
    pytest.param(
        "Longer thoughts", "RL for reasoning with a format reward and an accuracy reward.",
        "rlvr-grpo", "", id="rewards that a rule checks",
    ),
]  # fmt: skip

NEW_TOPICS: Final = [
    pytest.param(
        "Agent skills in the wild", "A skill library holds reusable skills of an agent.",
        "agent-skills", id="agent-skills",
    ),
    pytest.param(
        "On-policy self-distillation", "The student learns by on-policy distillation.",
        "on-policy-distillation distillation", id="on-policy-distillation",
    ),
    pytest.param(
        "Rubrics as rewards", "A rubric grades each answer. Rubric-based rewards train a model.",
        "rubric-rewards reward-models", id="rubric-rewards",
    ),
    pytest.param(
        "A playable interactive world model", "Users explore an interactive world in real time.",
        "interactive-world-models world-models", id="interactive-world-models",
    ),
    pytest.param(
        "Proactive agents that ask first", "A proactive assistant decides when to interrupt.",
        "proactive-agents", id="proactive-agents",
    ),
    pytest.param(
        "Terminal agents", "We test terminal agents on Terminal-Bench.",
        "terminal-agents llm-agents", id="terminal-agents",
    ),
    pytest.param(
        "Rate-distortion theory of memory", "We bound mutual information and channel capacity.",
        "information-theory", id="information-theory",
    ),
    pytest.param(
        "Looped transformers reason in latent space", "Latent reasoning replaces words.",
        "latent-reasoning", id="latent-reasoning",
    ),
]  # fmt: skip


@pytest.mark.parametrize(
    ("title", "abstract", "has", "lacks"),
    [*ACRONYMS, *COMMON_WORDS, *PHRASES_WITH_SEVERAL_MEANINGS],
)
def test_a_word_counts_for_the_topic_that_is_meant(
    title: str, abstract: str, has: str, lacks: str, built_in: Taxonomy
) -> None:
    given = topics_of(title, abstract, built_in)
    assert set(has.split()) <= given
    assert not given & set(lacks.split())


@pytest.mark.parametrize(("title", "abstract", "has"), NEW_TOPICS)
def test_recent_subjects_have_topics(
    title: str, abstract: str, has: str, built_in: Taxonomy
) -> None:
    assert set(has.split()) <= topics_of(title, abstract, built_in)


def test_ambiguous_acronyms_are_no_aliases(built_in: Taxonomy) -> None:
    """One mention of an alias is enough in a title, and two in an abstract."""
    ambiguous = {
        "asr", "tts", "rope", "vllm", "sfm", "slm", "cad", "eda", "opd", "prm", "lora", "gan",
        "cnn", "dino", "wam", "gaia", "genie", "muon", "rft", "v bench",
    }  # fmt: skip
    aliases = {rule.phrase for rule in built_in.rules if rule.role == "alias"}
    assert not ambiguous & aliases


def test_common_words_need_company(built_in: Taxonomy) -> None:
    """None of these words gives a topic by itself, wherever it is written."""
    common = ["code", "codes", "coding", "graph", "physics", "plant", "voting", "signal",
              "channel", "fingerprint", "stroke", "battery", "crop", "morphology"]  # fmt: skip
    for word in common:
        assert not topics_of(f"On {word}", f"The {word}. A {word}, and a {word}.", built_in), word
