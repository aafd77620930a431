"""The channel between page and server, and in `public` the API for scripts."""
