"""Networks: Keras layers and networks, the same networks as ONNX graphs, and the runtime that runs them."""
