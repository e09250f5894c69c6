"""Networks: Keras layers and networks, the same networks as ONNX graphs, and their runtime."""

import os

# Versions of ONNX Runtime from 1.32 on write a device's id and a database into the home folder, and report their use
# to Microsoft, unless this is set before they are imported.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
