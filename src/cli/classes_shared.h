#pragma once

#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "lanthorn/lanthorn.h"

namespace lanthorn {

struct TopClass {
  int64_t index = 0;
  std::string label;
  double score = 0;        // the model's own number
  double probability = 0;  // softmax over the row, or the score itself where the row is probabilities
};
using TopClasses = std::vector<TopClass>;

/// The highest `count` of each row of a matrix [rows, classes >= 2]; empty for other tensors.
std::vector<TopClasses> top_classes(const Tensor& output, std::span<const std::string> labels, int count);
/// One name a line. kNotFound, kLimit.
Result<std::vector<std::string>> read_labels(const std::filesystem::path& path);

}  // namespace lanthorn
