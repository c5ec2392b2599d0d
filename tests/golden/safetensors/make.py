"""Writes the files beside it with safetensors 0.8."""
import json, pathlib
import numpy as np
from safetensors.numpy import save_file

HERE = pathlib.Path(__file__).parent
arrays = {"b": np.arange(6, dtype="f4").reshape(2, 3), "a": np.array([1, 2, 3], "u1"), "scalar": np.array(7, "i8"), "none": np.empty((0, 4), "f2")}
save_file(arrays, HERE / "small.safetensors", metadata={"format": "pt", "note": "ä"})
folder = HERE / "sharded"
folder.mkdir(exist_ok=True)
save_file({"a": arrays["a"]}, folder / "model-00001-of-00002.safetensors")
save_file({"b": arrays["b"]}, folder / "model-00002-of-00002.safetensors")
(folder / "model.safetensors.index.json").write_text(json.dumps({"metadata": {"total_size": 27}, "weight_map": {
    "a": "model-00001-of-00002.safetensors", "b": "model-00002-of-00002.safetensors"}}, indent=2))
