"""How much longer tests wait on a machine that is busy: LAMPLIGHT_TEST_PATIENCE times as long."""

import os

PATIENCE = float(os.environ.get("LAMPLIGHT_TEST_PATIENCE", "1"))
