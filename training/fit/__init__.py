"""The Lightning module with the masked loss, and what a run writes."""
