#pragma once

#include <optional>
#include <string>
#include <vector>

#include "lanthorn/lanthorn.h"
#include "tensor/statistics.h"

namespace lanthorn {

/// A tensor that both files have, and how it differs.
struct TensorChange {
  std::string name;
  const Tensor* a = nullptr;
  const Tensor* b = nullptr;
  bool dtype = false, shape = false;
  std::optional<TensorDifference> values;  // where they differ and can be compared
};

/// Something that is no tensor: an object's value, a metadata entry, a line of a graph or of code.
/// Empty: not in that file.
struct TextChange {
  std::string name;
  std::optional<std::string> a, b;
};

struct FileDifference {
  std::vector<std::string> only_in_a, only_in_b;  // names of tensors
  std::vector<TensorChange> tensors;
  std::vector<TextChange> objects, metadata, ties, graph;
  size_t compared_tensors = 0, compared_objects = 0;
  std::vector<std::string> notes;  // what could not be compared

  size_t count() const {
    return only_in_a.size() + only_in_b.size() + tensors.size() + objects.size() + metadata.size() +
           ties.size() + graph.size();
  }
};

struct DiffOptions {
  double tolerance = 0;       // of values, relative to a tensor's largest magnitude
  bool ignore_dtype = false;  // equal values of unlike dtypes are the same
  bool tensors_only = false;
};

/// Compares what two files hold, tensor by tensor: memory is bounded by the largest strided tensor.
/// The models must outlive the answer.
Result<FileDifference> compare_models(const Model& a, const Model& b, const DiffOptions& options);

}  // namespace lanthorn
