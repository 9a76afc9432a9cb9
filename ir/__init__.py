"""The intermediate representation: layouts, lazy tensors, typed ops, graphs, their checker."""
