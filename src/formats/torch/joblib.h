#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>

#include "codec/pickle.h"
#include "lanthorn/result.h"

namespace lanthorn {

/// An array in a file of joblib: it stands in the stream itself, behind the BUILD of a
/// NumpyArrayWrapper (joblib/numpy_pickle.py). An array of Python objects is a pickle of its own
/// there, which is not read.
struct JoblibArray {
  PickleId shape = kNoPickle, dtype = kNoPickle;  // a tuple, numpy.dtype
  bool fortran = false;
  bool objects = false;
  uint64_t padding = 0;  // bytes before the elements
};

/// The array of a call, or nothing where it is no such wrapper; `rest` is the stream behind its
/// BUILD.
std::optional<JoblibArray> joblib_array(const PickleTree& tree, PickleId call,
                                        std::span<const std::byte> rest);

/// PickleLimits::inline_bytes for streams that joblib may have written.
uint64_t joblib_bytes(const PickleTree& tree, PickleId built, std::span<const std::byte> rest);

}  // namespace lanthorn
