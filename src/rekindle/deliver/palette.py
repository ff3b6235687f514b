"""Shades of a brand's colour that can be read, on light and on dark screens.

Knows nothing of where they are used.
"""

import colorsys
from collections.abc import Mapping
from functools import lru_cache


@lru_cache(16)
def palette(color: str) -> Mapping[str, str]:
    """A brand colour with the text colour that can be read on it, a tint for panels, and a light form for dark screens.

    >>> palette("#ffd400")["brand_ink"], palette("#1f5f5b")["brand_ink"]
    ('#121212', '#ffffff')
    """
    red, green, blue = (int(color[at : at + 2], 16) / 255 for at in (1, 3, 5))
    hue, lightness, saturation = colorsys.rgb_to_hls(red, green, blue)
    light = _luminance(red, green, blue) + 0.05
    return {
        "brand_ink": "#ffffff" if 1.05 / light > light / (_luminance(0.07, 0.07, 0.07) + 0.05) else "#121212",
        "brand_text": color if light < 0.23 else _hex(hue, min(lightness, 0.26), saturation * 0.85),
        "brand_tint": _hex(hue, 0.955, min(saturation, 0.45)),
        "brand_line": _hex(hue, 0.84, min(saturation, 0.35)),
        "brand_light": _hex(hue, 0.78, min(saturation, 0.55)),
        "brand_deep": _hex(hue, 0.14, min(saturation, 0.30)),
    }


def _hex(hue: float, lightness: float, saturation: float) -> str:
    return "#" + "".join(f"{round(part * 255):02x}" for part in colorsys.hls_to_rgb(hue, lightness, saturation))


def _luminance(*parts: float) -> float:
    """Relative luminance. Source: WCAG 2.2, relative luminance."""
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
