"""The pages *Inspect* and *Training*: a Gradio front end over the rooms before this one.

    python -m app [--store URL] [--model PATH] [--runs FOLDER] [--port N]

Python is the only owner of state. The browser draws escaped strings and figures, and reports what
a person did as an action with ids that this package made and checks when they come back. There is
no storage and no tensor code in here.
"""

import os

# Gradio reads these once, when it is imported: nothing is reported to anyone, nothing is fetched.
os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")
os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
