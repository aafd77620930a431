"""What one visitor asks, sees and edits; no HTML and no Gradio."""
