#pragma once

#include <memory>
#include <optional>

#include "codec/pickle.h"
#include "lanthorn/object.h"
#include "lanthorn/result.h"
#include "lanthorn/tensor.h"

namespace lanthorn {

/// True for the calls that make NumPy's arrays: numpy.core.multiarray._reconstruct with its state,
/// numpy.core.numeric._frombuffer, in numpy.core or numpy._core; joblib's NumpyArrayWrapper.
bool makes_numpy_array(const PickleTree& tree, PickleId call);
/// That array; nothing where its dtype is none that a tensor has (objects, records, text).
/// kCorrupt if its bytes do not fit its shape.
Result<std::optional<Tensor>> numpy_array(const PickleTree& tree, PickleId call,
                                          const std::shared_ptr<const void>& owner);

/// True for numpy.core.multiarray.scalar.
bool makes_numpy_scalar(const PickleTree& tree, PickleId call);
/// That number as an object, with the scalar's class in `text`; nothing where it is no number.
Result<std::optional<Object>> numpy_scalar(const PickleTree& tree, PickleId call,
                                           const std::shared_ptr<const void>& owner);

}  // namespace lanthorn
