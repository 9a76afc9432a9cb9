"""ONNX models, from a plan: emitters by op, a draft, and a file into which weights stream."""
