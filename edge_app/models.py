"""The models that are installed, and where."""

from pathlib import Path

from edge_app.contract import Contract, read_contract
from edge_app.errors import ModelNotFound

PREFERRED = ("cnn4", "cnn4-fashion-mnist")


def assets_dir() -> Path:
    """The assets: inside the package where it was installed as a wheel, beside it in a checkout."""
    package = Path(__file__).parent
    installed = package / "assets"
    return installed if installed.is_dir() else package.parent / "assets"


def contract_path(model: str) -> Path:
    """The contract of an installed model, or of any model given as the path of its .json or .tflite file.

    Raises ModelNotFound, naming the models there are.
    """
    if model.endswith((".json", ".tflite")):
        path = Path(model).with_suffix(".json")
        if path.is_file():
            return path
        raise ModelNotFound(f"{path}: no such contract. A model is a .tflite file with its .json beside it.")
    path = assets_dir() / "models" / f"{model}.json"
    if Path(model).name != model or not path.is_file():
        there_are = ", ".join(contract.name for contract in contracts()) or "none at all"
        raise ModelNotFound(f"no model {model!r}. Installed: {there_are}.")
    return path


def contracts() -> list[Contract]:
    """The contracts of all installed models, by name. Raises ContractError if one is malformed."""
    return [read_contract(path) for path in sorted((assets_dir() / "models").glob("*.json"))]


def default_model() -> str:
    """The app's choice: cnn4, while there is none cnn4-fashion-mnist, else the first installed."""
    installed = [contract.name for contract in contracts()]
    for name in (*PREFERRED, *installed):
        if name in installed:
            return name
    raise ModelNotFound(f"no model in {assets_dir() / 'models'}. Convert one: python -m converters RUN.")
