"""Networks: Keras layers and networks, the same networks as ONNX graphs, and their runtime."""
