"""The Gradio pages: layout, components and which event runs which action."""
