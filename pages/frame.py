"""The frame of every page: it loads nothing, and only its own style and script are allowed."""

from __future__ import annotations

import base64
import hashlib
from pathlib import Path
from string import Template

from ..version import __version__
from .markup import Markup, text

FRAME = Template("""\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta http-equiv="Content-Security-Policy" content="$policy">
<meta name="generator" content="kerasir $version">
<title>$title</title>
<style>$style</style>
</head>
<body>
<main>
$body
</main>
$script</body>
</html>
""")


def page(title: str, body: Markup, script: str = "") -> str:
    """A whole page.

    Args:
        title: Any text.
        body: What it shows; complete without the script.
        script: Of ours; nothing of a file may be in it.
    """
    style = (Path(__file__).parent / "style.css").read_text(encoding="utf-8")
    allowed = ["default-src 'none'", f"style-src '{_hash(style)}'"]
    allowed += [f"script-src '{_hash(script)}'"] if script else []
    return FRAME.substitute(
        policy="; ".join(allowed),
        version=__version__,
        title=text(title),
        style=style,
        body=body,
        script=f"<script>{script}</script>\n" if script else "",
    )


def _hash(source: str) -> str:
    """As a Content-Security-Policy names what it allows (CSP Level 3, hash-source)."""
    return "sha256-" + base64.b64encode(hashlib.sha256(source.encode()).digest()).decode()
