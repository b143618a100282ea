import pytest
import timm
import torch
from timm.models import get_pretrained_cfg

from vizvit.errors import ModelError
from vizvit.model.catalog import CATALOG, Entry, entry


@pytest.fixture(scope="module", params=CATALOG, ids=lambda item: item.name)
def built(request) -> tuple[Entry, torch.nn.Module]:
    with torch.device("meta"):
        return request.param, timm.create_model(request.param.name)


def test_names_are_unique_and_carry_their_tag():
    assert len({item.name for item in CATALOG}) == len({item.title for item in CATALOG}) == len(CATALOG)
    assert all("." in item.name for item in CATALOG)


def test_every_family_is_there():
    families = {"ViT", "DeiT", "DINO", "BEiT", "EVA-02", "CLIP", "SigLIP", "FlexiViT"}
    assert {item.family for item in CATALOG} == families


def test_timm_has_weights_on_the_hub(built):
    item, _ = built
    config = get_pretrained_cfg(item.name, allow_unregistered=False)
    assert config.hf_hub_id == f"timm/{item.name}"


def test_download_size(built):
    item, model = built
    assert item.download_mb == round(sum(p.numel() for p in model.parameters()) * 4 / 1e6)


def test_why_is_one_sentence():
    for item in CATALOG:
        assert item.why.endswith(".") and ". " not in item.why
        assert 40 < len(item.why) < 120


@pytest.mark.parametrize(
    ("name", "fact"),
    [
        (
            "vit_tiny_patch16_224.augreg_in21k_ft_in1k",
            lambda m: sum(b.attn.num_heads for b in m.blocks) == 36,
        ),
        (
            "vit_base_patch16_224.augreg2_in21k_ft_in1k",
            lambda m: (len(m.blocks), m.blocks[0].attn.num_heads) == (12, 12),
        ),
        (
            "deit_small_distilled_patch16_224.fb_in1k",
            lambda m: m.dist_token is not None and m.num_prefix_tokens == 2,
        ),
        ("vit_small_patch16_224.dino", lambda m: m.num_classes == 0),
        ("vit_small_patch14_reg4_dinov2.lvd142m", lambda m: m.num_prefix_tokens == 5),
        ("vit_small_patch16_dinov3.lvd1689m", lambda m: m.rope is not None and m.pos_embed is None),
        (
            "beit_base_patch16_224.in22k_ft_in22k_in1k",
            lambda m: all(b.attn.relative_position_bias_table.shape[1] == 12 for b in m.blocks),
        ),
        (
            "eva02_tiny_patch14_336.mim_in22k_ft_in1k",
            lambda m: m.rope is not None and m.pos_embed is not None and m.patch_embed.grid_size == (24, 24),
        ),
        ("vit_base_patch16_clip_224.openai_ft_in1k", lambda m: m.num_classes == 1000),
        (
            "vit_base_patch16_siglip_224.v2_webli",
            lambda m: m.num_prefix_tokens == 0 and m.attn_pool.latent is not None,
        ),
        ("flexivit_small.1200ep_in1k", lambda m: m.patch_embed.grid_size == (15, 15)),
    ],
)
def test_what_the_sentences_claim(name, fact):
    entry(name)
    with torch.device("meta"):
        assert fact(timm.create_model(name))


def test_small_models_share_their_width():
    with torch.device("meta"):
        widths = {
            timm.create_model(item.name).embed_dim
            for item in CATALOG
            if item.title.startswith(("ViT-S", "DeiT", "DINO"))
        }
    assert widths == {384}


def test_unknown_name():
    with pytest.raises(ModelError, match="is not in the catalogue"):
        entry("resnet50")
