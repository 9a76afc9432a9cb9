"""Layers that change images at random while training, and pass them on at inference.

Each was run at inference by genuine Keras 3.15 or tf-keras 2.21 (`layers/preprocessing`; the last
one is of `applications/convnext.py`).
"""

from __future__ import annotations

AUGMENTATION: tuple[str, ...] = (
    "AugMix",
    "CutMix",
    "Equalization",
    "MaxNumBoundingBoxes",
    "MixUp",
    "RandAugment",
    "RandomBrightness",
    "RandomColorDegeneration",
    "RandomColorJitter",
    "RandomContrast",
    "RandomElasticTransform",
    "RandomErasing",
    "RandomFlip",
    "RandomGaussianBlur",
    "RandomGrayscale",
    "RandomHeight",
    "RandomHue",
    "RandomInvert",
    "RandomPerspective",
    "RandomPosterization",
    "RandomRotation",
    "RandomSaturation",
    "RandomSharpness",
    "RandomShear",
    "RandomTranslation",
    "RandomWidth",
    "RandomZoom",
    "Solarization",
    "StochasticDepth",
)
"""RandomCrop and AutoContrast are not among them: they change images at inference, too."""
