"""Make the models: `python tests/data/make_tf_keras OUT [CASE ...]`, by a Python that has TensorFlow."""

import graphs
import layers
import particulars
import preprocessing
import recurrent
import training
from harness import main

main()
