"""The look of the page: Gradio's plainest theme with our fonts; `page.css` goes on top.

The fonts are the system's, given as plain strings: a `GoogleFont` would be loaded from the network.
"""

from __future__ import annotations

import inspect

import gradio as gr

SANS = (
    "-apple-system",
    "BlinkMacSystemFont",
    "Segoe UI",
    "Roboto",
    "Noto Sans",
    "Liberation Sans",
    "system-ui",
    "sans-serif",
)
MONO = ("ui-monospace", "SFMono-Regular", "Menlo", "Liberation Mono", "monospace")


def make_theme() -> gr.themes.Base:
    """The theme, with every colour that Gradio's own parts use taken from `page.css`."""
    theme = gr.themes.Base(
        font=list(SANS),
        font_mono=list(MONO),
        radius_size=gr.themes.sizes.radius_sm,
        text_size=gr.themes.sizes.text_md,
    )
    colours = {
        "body_background_fill": "var(--paper)",
        "body_text_color": "var(--ink)",
        "body_text_color_subdued": "var(--ink-soft)",
        "background_fill_primary": "var(--surface)",
        "background_fill_secondary": "var(--paper)",
        "border_color_primary": "var(--line)",
        "border_color_accent": "var(--ink-soft)",
        "block_background_fill": "transparent",
        "block_border_width": "0px",
        "block_shadow": "none",
        "block_label_background_fill": "transparent",
        "block_label_text_color": "var(--ink-soft)",
        "block_title_text_color": "var(--ink-soft)",
        "input_background_fill": "var(--surface)",
        "input_background_fill_focus": "var(--surface)",
        "input_border_color": "var(--line-strong)",
        "input_border_color_focus": "var(--focus)",
        "input_placeholder_color": "var(--ink-soft)",
        "input_shadow": "none",
        "input_shadow_focus": "none",
        "button_primary_background_fill": "var(--ink)",
        "button_primary_background_fill_hover": "var(--ink-soft)",
        "button_primary_text_color": "var(--paper)",
        "button_primary_text_color_hover": "var(--paper)",
        "button_secondary_background_fill": "var(--surface)",
        "button_secondary_background_fill_hover": "var(--hover)",
        "button_secondary_text_color": "var(--ink)",
        "button_secondary_text_color_hover": "var(--ink)",
        "button_secondary_border_color": "var(--line-strong)",
        "color_accent": "var(--mark)",
        "color_accent_soft": "var(--mark-fill)",
        "link_text_color": "var(--ink)",
        "slider_color": "var(--mark)",
        "checkbox_background_color_selected": "var(--ink)",
        "checkbox_border_color_selected": "var(--ink)",
    }
    accepted = inspect.signature(theme.set).parameters  # not every colour has a dark variant
    both = dict(colours)
    both |= {f"{name}_dark": value for name, value in colours.items()}
    return theme.set(**{name: value for name, value in both.items() if name in accepted})
