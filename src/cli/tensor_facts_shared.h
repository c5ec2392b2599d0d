#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/progress.h"
#include "formats/quantizer.h"
#include "lanthorn/lanthorn.h"
#include "tensor/statistics.h"

namespace lanthorn {

/// SHA-256 of the elements in C order, little-endian, as the dtype stores them. Empty where a tensor
/// has no bytes of its own (texts, or a file whose data is not there).
Result<std::string> tensor_digest(const Tensor& tensor, Progress* progress = nullptr);

/// The names of tensors that share memory, in file order; a tensor that shares with none is in no
/// group.
std::vector<std::vector<std::string>> tied_names(const StateDict& tensors);

/// Bytes of the elements of all of them.
uint64_t total_bytes(const StateDict& tensors);

/// "min -0.5, max 0.5, mean 0.001, 2 NaN"
std::string statistics_text(const TensorStatistics& statistics);

/// "scale 0.1, zero point 3", or "28 scales along dimension 0".
std::string quantizer_text(const Quantizer& quantizer);

/// The numbers of a tensor as NumPy prints them, cut to a few at the ends of each axis.
std::string values_text(const Tensor& tensor);

}  // namespace lanthorn
