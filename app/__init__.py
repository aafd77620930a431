"""The pages *Inspect* and *Training*: a Gradio front end over `training`, `model` and `graph`.

    python -m app [--store URL] [--model NAME] [--runs FOLDER] [--port N]

Python is the only owner of state. The browser draws escaped strings and figures, and reports what a
person did as an action. Its ids were made by this package and are checked when they come back.
There is no storage and no tensor code here.
"""

import os

# Gradio reads these once, when it is imported. They keep it from reporting and fetching anything.
os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")
os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
