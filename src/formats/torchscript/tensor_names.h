#pragma once

#include <map>
#include <memory>
#include <string>
#include <unordered_set>
#include <vector>

#include "formats/flat_tensors.h"
#include "lanthorn/result.h"
#include "script/value.h"

namespace lanthorn {

/// The quantizers of a program's quantized tensors.
using RootQuantizers = std::map<const script::StorageRoot*, std::shared_ptr<const Quantizer>>;

/// Names the tensors below values by their dotted paths, "layer1.0.conv1.weight", as a state_dict
/// does: parameters, buffers and other attributes, those in lists by index, in dicts by key. What a
/// packed parameter keeps has the names that it has in a quantized module's state_dict:
/// "fc._packed_params._packed_params.0". The first path of a storage becomes its name in the
/// program.
class TensorNames {
 public:
  /// kLimit for objects that are shared or nested without end.
  Status add(const script::Value& value, const std::string& path, const RootQuantizers& quantizers);
  /// What was added since, in that order.
  NamedTensors take() { return std::move(out_); }

 private:
  Status visit(const script::Value& value, const std::string& path,
               const RootQuantizers& quantizers, int depth);

  size_t visits_ = 0;
  NamedTensors out_;
  std::unordered_set<std::string> names_;
};

}  // namespace lanthorn
