"""Writes the files beside it with NumPy 2."""
import pathlib
import numpy as np

HERE = pathlib.Path(__file__).parent
np.save(HERE / "matrix.npy", np.arange(6, dtype="<f4").reshape(2, 3))
np.save(HERE / "fortran.npy", np.asfortranarray(np.arange(6, dtype="<i8").reshape(2, 3)))
np.save(HERE / "big_endian.npy", np.array([1, -2, 300], dtype=">i4"))
np.save(HERE / "scalar.npy", np.float64(2.5))
np.save(HERE / "text.npy", np.array([["héé", "x"], ["", "😀abc"]]))
np.save(HERE / "objects.npy", np.array([{}, None], dtype=object), allow_pickle=True)
arrays = dict(a=np.arange(4, dtype="u1"), A=np.array([True, False]), x__bf16=np.array([0x3F80, 0x4000], "u2"),
              q__i4=np.array([15, 7, 8], "u1"), objects=np.array([{}], dtype=object))
np.savez(HERE / "arrays.npz", **arrays)
np.savez_compressed(HERE / "compressed.npz", **arrays)
