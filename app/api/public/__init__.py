"""The published API: each operation once, for HTTP, `gradio_client` and MCP."""
