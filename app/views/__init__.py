"""State as HTML strings and Plotly figures."""
