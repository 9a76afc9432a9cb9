"""Writes what genuine Keras builds: names and shapes of the weights, and predictions.

Runs inside Keras 1.2.2 or 2.2.4 (Python 3.6); `KERAS_BACKEND` and keras.json as usual:

    python make.py FOLDER th|tf NAME [SIZE]

NAME is as `--arch builtin:` takes it. FOLDER/KERAS-BACKEND-ORDERING-NAME.txt gets a line for each
layer with weights, in the file's order. With SIZE, images of so many pixels are predicted, and the
result is kept beside it as .npz; the weights are those of `numbers`.
"""

import importlib
import os
import sys

import numpy as np

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
from numbers_of_weights import image, numbers

NEWER = {
    "densenet121": ("densenet", "DenseNet121", {}),
    "mobilenetv2-0.35": ("mobilenet_v2", "MobileNetV2", {"alpha": 0.35}),
    "mobilenetv2-1.4": ("mobilenet_v2", "MobileNetV2", {"alpha": 1.4}),
    "resnet50-2019": ("resnet", "ResNet50", {}),
    "resnetv2-50": ("resnet_v2", "ResNet50V2", {}),
}
"""Those of keras_applications 1.0.8: module, function, and what it is told."""


def model_of(name, size):
    """The model as Keras' own function builds it."""
    import keras
    from keras import applications

    top = not name.endswith("-notop")
    name = name.replace("-notop", "")
    options = {"include_top": top, "weights": None}
    if size:
        first = keras.backend.image_dim_ordering() == "th"
        options["input_shape"] = (3, size, size) if first else (size, size, 3)
    if name in NEWER:
        module, function, more = NEWER[name]
        module = importlib.import_module("keras_applications." + module)
        names = ("backend", "layers", "models", "utils")
        options.update((own, getattr(keras, own)) for own in names)
        options.update(more)
        return getattr(module, function)(**options)
    if name.startswith("mobilenet"):
        from keras.applications.mobilenet import MobileNet

        return MobileNet(alpha=float(name.partition("-")[2] or 1), **options)
    classes = {
        "vgg16": "VGG16",
        "vgg19": "VGG19",
        "resnet50": "ResNet50",
        "inceptionv3": "InceptionV3",
        "inceptionv3-keras1": "InceptionV3",
        "xception": "Xception",
    }
    return getattr(applications, classes[name])(**options)


def main(folder, ordering, name, size=None):
    if os.environ.get("KERAS_BACKEND") == "theano":
        import theano.ifelse  # Keras 1 takes it for granted
    import keras
    from keras import backend

    backend.set_image_dim_ordering(ordering)
    model = model_of(name, int(size) if size else None)
    held = [layer for layer in model.layers if layer.weights]
    title = "-".join((keras.__version__, backend.backend(), ordering, name))
    with open(os.path.join(folder, title + ".txt"), "w") as file:
        for layer in held:
            shapes = ["x".join(map(str, array.shape)) for array in layer.get_weights()]
            names = [w.name for w in layer.weights]
            pairs = ["%s=%s" % pair for pair in zip(names, shapes)]
            file.write(" ".join([layer.name] + pairs) + "\n")
    if size:
        weights = [weight for layer in held for weight in layer.weights]
        shapes = [array.shape for array in model.get_weights()]
        pairs = enumerate(zip(weights, shapes))
        model.set_weights([numbers(count, one.name, shape) for count, (one, shape) in pairs])
        shape = (1,) + tuple(backend.int_shape(model.inputs[0])[1:])
        np.savez(os.path.join(folder, title + ".npz"), out=model.predict(image(shape)))


if __name__ == "__main__":
    main(*sys.argv[1:])
