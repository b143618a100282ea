"""What can be read off a capture: plain arrays, one idea a file."""

from .features import ArtefactTokens, artefact_tokens, patch_components, patch_similarity, token_norms
from .filters import embedding_filters
from .fusion import attention_map, describe_query, fuse_heads, patch_map
from .heads import (
    attention_distance,
    attention_entropy,
    attention_received,
    attention_sinks,
    head_statistics,
    prefix_share,
    standing_out,
    uniform_head,
)
from .position import PositionMap, position_map, position_similarity
from .rollout import gradient_rollout, relevance, rollout, rollout_steps
from .telling import TellingLook, telling_look

__all__ = [
    "ArtefactTokens",
    "PositionMap",
    "TellingLook",
    "artefact_tokens",
    "attention_distance",
    "attention_entropy",
    "attention_map",
    "attention_received",
    "attention_sinks",
    "describe_query",
    "embedding_filters",
    "fuse_heads",
    "gradient_rollout",
    "head_statistics",
    "patch_components",
    "patch_map",
    "patch_similarity",
    "position_map",
    "position_similarity",
    "prefix_share",
    "relevance",
    "rollout",
    "rollout_steps",
    "standing_out",
    "telling_look",
    "token_norms",
    "uniform_head",
]
