"""Files in and out, and copies between stores."""
