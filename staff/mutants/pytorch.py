"""Wrong solutions of tasks 6.4 to 6.6, in PyTorch."""

from coursework.staff.mutants.mutant import of

SGD = "torch.optim.SGD(model.parameters(), lr=lr, momentum=momentum, weight_decay=weight_decay)"
FLAT = "images.flatten(1)"
LINEAR = "nn.Linear(math.prod(im_size), hidden_dim)"
CONV = "nn.Conv2d(C, hidden_dim, kernel_size, padding=kernel_size // 2)"
LIST = "self.layers = [{0}]\n        self.{1} = lambda x: self.layers[0].double()(x)"
BACKWARD = "    loss.backward()\n    optimizer.step()\n"

MUTANTS = [
    *of(
        "6.4",
        "Softmax",
        ("softmax before cross_entropy", "(images.flatten(1))", "(images.flatten(1)).softmax(1)", "softmax twice"),
        ("log_softmax before cross_entropy", "images.flatten(1)", "images.flatten(1)).log_softmax(1", "softmax twice"),
        ("the logits go through a ReLU", "(images.flatten(1))", "(images.flatten(1)).relu()", "ReLU of the logits"),
        ("the layer has no bias", "n_classes)\n", "n_classes, bias=False)\n", "bias lost"),
        ("the channels come last", FLAT, "images.permute(0, 2, 3, 1).flatten(1)", "flattened in another order"),
        ("the logits are detached", "(images.flatten(1))", "(images.flatten(1)).detach()", "gradient cut off"),
        (
            "the layer is in a list",
            "self.linear = nn",
            "self.linear = lambda x: self.layers[0](x)\n        self.layers = [None]\n        self.layers[0] = nn",
            "layers in a list",
        ),
        ("dropout was added", FLAT, "nn.functional.dropout(images.flatten(1), 0.5, self.training)", "dropout"),
        ("the batch is normalised", FLAT, "(images.flatten(1) - images.flatten(1).mean(0))", "images mixed"),
    ),
    *of(
        "6.4",
        "make_optimizer",
        ("weight decay is lost", ", weight_decay=weight_decay", "", "weight decay lost"),
        ("momentum is lost", ", momentum=momentum", "", "momentum lost"),
        ("the learning rate is fixed", "lr=lr", "lr=0.01", "learning rate lost"),
        ("Nesterov's method", SGD, SGD[:-1] + ", nesterov=momentum > 0)", "Nesterov"),
        ("the gradient is dampened", SGD, SGD[:-1] + ", dampening=momentum)", "dampened"),
        (
            "momentum and weight decay are exchanged",
            "momentum=momentum, weight_decay=weight_decay",
            "momentum=weight_decay, weight_decay=momentum",
            "arguments exchanged",
        ),
        ("it is Adam", "SGD(model.parameters(), lr=lr, momentum=momentum,", "Adam(model.parameters(), lr=lr,", "Adam"),
        (
            "the biases are left out",
            "model.parameters()",
            "[w for w in model.parameters() if w.ndim > 1]",
            "some parameters only",
        ),
    ),
    *of(
        "6.4",
        "update_step",
        ("zero_grad is forgotten", "    optimizer.zero_grad()\n", "", "zero_grad lost"),
        (
            "zero_grad comes after backward",
            BACKWARD,
            "    loss.backward()\n    optimizer.zero_grad()\n    optimizer.step()\n",
            "zero_grad too late",
        ),
        ("the step comes before backward", BACKWARD, "    optimizer.step()\n    loss.backward()\n", "step lost"),
        ("the step is forgotten", "    optimizer.step()\n", "", "step lost"),
        ("softmax before cross_entropy", "model(images), labels", "model(images).softmax(1), labels", "softmax twice"),
        (
            "eval mode in the batch loop, and never back to train",
            "optimizer.zero_grad()",
            "model.eval()\n    optimizer.zero_grad()",
            "eval mode",
        ),
        ("cross-entropy whatever is given", "loss = loss_function", "loss = F.cross_entropy", "loss function ignored"),
        (
            "the loss after the step is returned",
            "return loss.detach()",
            "return loss_function(model(images), labels).detach()",
            "loss after the step",
        ),
        ("the graph is kept", "return loss.detach()", "return loss", "graph kept"),
        ("the loss is multiplied by the images", "labels)\n", "labels) * len(images)\n", "summed"),
        ("the step is taken twice", "optimizer.step()\n", "optimizer.step()\n    optimizer.step()\n", "two steps"),
    ),
    *of(
        "6.5",
        "TwoLayerNN",
        ("softmax before cross_entropy", ".relu()", ".relu()).softmax(1", "softmax twice"),
        ("the ReLU is forgotten", ".relu()", "", "ReLU lost"),
        ("a sigmoid instead of the ReLU", ".relu()", ".sigmoid()", "sigmoid hidden units"),
        ("a tanh instead of the ReLU", ".relu()", ".tanh()", "tanh hidden units"),
        ("the logits go through a ReLU", ".relu()", ".relu()).relu(", "ReLU of the logits"),
        (
            "the hidden layer always has 100 units",
            "nn.Linear(math.prod(im_size), hidden_dim)\n        self.output = nn.Linear(hidden_dim",
            "nn.Linear(math.prod(im_size), 100)\n        self.output = nn.Linear(100",
            "hidden_dim ignored",
        ),
        (
            "the layers have no bias",
            "hidden_dim)\n        self.output = nn.Linear(hidden_dim, n_classes)",
            "hidden_dim, bias=False)\n        self.output = nn.Linear(hidden_dim, n_classes, bias=False)",
            "bias lost",
        ),
        (
            "the hidden layer is in a list",
            f"self.hidden = {LINEAR}",
            LIST.format(LINEAR, "hidden"),
            "layers in a list",
        ),
        ("the hidden units are detached", ".relu()", ".relu().detach()", "gradient cut off"),
        ("dropout was added", ".relu()", ".relu().mul(2.0 if self.training else 1.0)", "dropout"),
        (
            "one layer is made",
            f"self.hidden = {LINEAR}\n        self.output = nn.Linear(hidden_dim, n_classes)",
            "self.hidden, self.output = nn.Linear(math.prod(im_size), n_classes), nn.Identity()",
            "one layer",
        ),
        ("the batch is normalised", ".relu()", ".relu().sub(images.mean())", "images mixed"),
    ),
    *of(
        "6.6",
        "CNN",
        ("softmax before cross_entropy", ".flatten(1))\n", ".flatten(1)).softmax(1)\n", "softmax twice"),
        ("the ReLU is forgotten", ".relu()", "", "ReLU lost"),
        (
            "the padding is forgotten",
            "padding=kernel_size // 2)",
            "padding=0)\n        H, W = H - kernel_size + 1, W - kernel_size + 1",
            "padding lost",
        ),
        (
            "the padding is 1",
            "padding=kernel_size // 2)",
            "padding=1)\n        H, W = H - kernel_size + 3, W - kernel_size + 3",
            "padding too small",
        ),
        (
            "the pooling is forgotten",
            "nn.MaxPool2d(2)\n        self.output = nn.Linear(hidden_dim * (H // 2) * (W // 2)",
            "nn.Identity()\n        self.output = nn.Linear(hidden_dim * H * W",
            "pooling lost",
        ),
        ("the mean is pooled", "nn.MaxPool2d", "nn.AvgPool2d", "mean for maximum"),
        ("the kernel is always 3x3", "kernel_size, padding=kernel_size // 2", "3, padding=1", "kernel_size ignored"),
        (
            "the border is repeated",
            "kernel_size // 2)",
            'kernel_size // 2, padding_mode="replicate")',
            "padded with the edge",
        ),
        ("the output has no bias", "n_classes", "n_classes, bias=False", "bias lost"),
        ("the channels come last", ".flatten(1)", ".permute(0, 2, 3, 1).flatten(1)", "flattened in another order"),
        ("the maps are detached", ".relu()", ".relu().detach()", "gradient cut off"),
        ("the logits go through a ReLU", ".flatten(1))\n", ".flatten(1)).relu()\n", "ReLU of the logits"),
        ("dropout was added", ".relu()", ".relu().mul(2.0 if self.training else 1.0)", "dropout"),
        (
            "the convolution is in a list",
            f"self.conv = {CONV}",
            LIST.format(CONV, "conv"),
            "layers in a list",
        ),
        ("the batch is normalised", "self.conv(images)", "(self.conv(images) - images.mean())", "images mixed"),
    ),
]
