"""Genuine models of tf.keras that have been trained, by every optimizer of the release."""

from harness import Input, L, Model, Sequential, V, case, floats, keras, np, tf

O = keras.optimizers
NEW = getattr(O, "experimental", None) if (2, 9) <= V < (2, 11) else O
LEGACY = getattr(O, "legacy", O)
S = getattr(O, "schedules", None)


def small():
    x = Input((4,))
    h = L.Dense(5, activation="tanh")(x)
    h = L.BatchNormalization()(h)
    return Model(x, L.Dense(2)(h))


def trained(model, optimizer, loss="mse", **given):
    model.compile(optimizer, loss, **given)
    x, y = floats((6, 4), 5), floats((6, 2), 6)
    for _ in range(3):
        model.train_on_batch(x, y)
    model.one_step = (floats((6, 4), 7), floats((6, 2), 8))
    return model


OPTIMIZERS = {
    "sgd": lambda o: o.SGD(0.05),
    "sgd_momentum": lambda o: o.SGD(0.05, momentum=0.8, nesterov=True),
    "rmsprop": lambda o: o.RMSprop(0.01),
    "rmsprop_centered": lambda o: o.RMSprop(0.01, centered=True, momentum=0.7),
    "adam": lambda o: o.Adam(0.01),
    "adam_amsgrad": lambda o: o.Adam(0.01, amsgrad=True, epsilon=1e-4),
    "adagrad": lambda o: o.Adagrad(0.05),
    "adadelta": lambda o: o.Adadelta(0.5),
    "adamax": lambda o: o.Adamax(0.01),
    "nadam": lambda o: o.Nadam(0.01),
    "ftrl": lambda o: o.Ftrl(0.05, l1_regularization_strength=0.001),
    "adamw": lambda o: o.AdamW(0.01, weight_decay=0.01),
    "adafactor": lambda o: o.Adafactor(0.01),
    "lion": lambda o: o.Lion(0.01),
    "clipped": lambda o: o.Adam(0.01, clipnorm=0.5),
    "averaged": lambda o: o.SGD(0.05, use_ema=True, ema_momentum=0.9),
    "scheduled": lambda o: o.Adam(S.ExponentialDecay(0.05, 10, 0.9)),
    "piecewise": lambda o: o.SGD(S.PiecewiseConstantDecay([2, 5], [0.1, 0.05, 0.01])),
    "polynomial": lambda o: o.SGD(S.PolynomialDecay(0.1, 10)),
    "inverse_time": lambda o: o.SGD(S.InverseTimeDecay(0.1, 10, 0.5, staircase=True)),
    "cosine": lambda o: o.Adam(S.CosineDecay(0.1, 10)),
    "cosine_restarts": lambda o: o.Adam(S.CosineDecayRestarts(0.1, 10)),
    "decayed": lambda o: o.SGD(0.05, momentum=0.9, decay=0.01),
}


def optimizing(make, where):
    return lambda: trained(small(), make(where))


for _name, _make in OPTIMIZERS.items():
    for _prefix, _where in (("opt_", NEW or O), ("opt_old_", LEGACY)):
        if _prefix == "opt_" or _where is not (NEW or O):
            _build = optimizing(_make, _where)
            _build.__name__ = _prefix + _name
            case()(_build)


@case()
def opt_tf_train():
    """An optimizer of TensorFlow 1, which tf.keras does not save."""
    train = tf.compat.v1.train
    return trained(small(), train.AdamOptimizer(0.01)) if V < (2, 0) else small()


@case(since=(2, 1))
def opt_loss_scale():
    one = keras.mixed_precision
    if V < (2, 4):
        scaled = one.experimental.LossScaleOptimizer(O.SGD(0.05, momentum=0.5), "dynamic")
    else:
        scaled = one.LossScaleOptimizer(O.SGD(0.05, momentum=0.5))
    policy = (one.experimental if V < (2, 4) else one).Policy("mixed_float16")
    x = Input((4,))
    h = L.Dense(5, dtype=policy)(x)
    return trained(Model(x, L.Dense(2, dtype="float32")(h)), scaled)


@case()
def compiled_objects():
    x = Input((4,))
    model = Model(x, L.Dense(2, activation="softmax")(x))
    model.compile(
        O.Adam(), keras.losses.CategoricalCrossentropy(label_smoothing=0.1),
        metrics=["accuracy", keras.metrics.AUC(num_thresholds=20), keras.metrics.Precision(name="p")],
    )  # fmt: skip
    model.train_on_batch(floats((6, 4), 5), np.eye(2, dtype="float32")[[0, 1, 0, 1, 1, 0]])
    return model


@case()
def compiled_outputs():
    x = Input((4,))
    model = Model(x, [L.Dense(2, name="a")(x), L.Dense(1, activation="sigmoid", name="b")(x)])
    model.compile(
        "rmsprop", {"a": "mse", "b": "binary_crossentropy"}, metrics={"a": ["mae"], "b": "acc"},
        loss_weights={"a": 0.3, "b": 1.5},
    )  # fmt: skip
    model.train_on_batch(floats((6, 4), 5), [floats((6, 2), 6), (floats((6, 1), 7) > 0) * 1.0])
    return model


@case()
def compiled_words():
    model = Sequential([L.Embedding(9, 4, input_length=3), L.Flatten(), L.Dense(5, activation="softmax")])
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["acc"])
    words = np.array([[1, 2, 3], [4, 5, 6]])
    model.train_on_batch(words, np.array([1, 4]))
    return model, [words.astype("int32")]


@case()
def frozen_part():
    a = Input((4,))
    base = Model(a, L.BatchNormalization()(L.Dense(6, activation="relu")(a)), name="base")
    base.trainable = False
    x = Input((4,))
    return trained(Model(x, L.Dense(2)(L.Dense(3)(base(x)))), O.Adam(0.01))
