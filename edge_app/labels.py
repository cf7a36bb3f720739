"""The names of the classes, in the order in which every model gives them."""

# Order and spelling: Fashion-MNIST, arXiv 1708.07747, table 2.
FASHION = (
    "T-shirt/top",
    "Trouser",
    "Pullover",
    "Dress",
    "Coat",
    "Sandal",
    "Shirt",
    "Sneaker",
    "Bag",
    "Ankle boot",
)
NONE = "none"
LIVE = (*FASHION, NONE)
