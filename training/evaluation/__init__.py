"""What a checkpoint does on a graph, measured with intervals."""
