#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "codec/pickle.h"
#include "formats/torch/tensor_rebuild.h"
#include "formats/torchscript/tensor_names.h"
#include "lanthorn/result.h"
#include "script/class_table.h"
#include "script/value.h"

namespace lanthorn {

/// Turns a pickle of a TorchScript archive (torch/csrc/jit/serialization/pickler.cpp) into values
/// of its program: instances of the classes of its code, typed lists and dicts, tensors that share
/// storages as in the file. Tensors over the same elements of one storage are one memory.
class ScriptUnpickler {
 public:
  /// All references outlive the unpickler; `owner` keeps the pickle's bytes.
  ScriptUnpickler(const PickleTree& tree, StorageSource& storages,
                  std::shared_ptr<const void> owner, const script::ClassTable& classes,
                  uint64_t budget)
      : tree_(tree), tensors_(tree, storages, std::move(owner), budget), classes_(classes) {}

  /// CONSTANTS of the archive, which a `__setstate__` may read, and its version.
  void use(std::span<const script::Value> constants, int64_t version) {
    constants_ = constants;
    version_ = version;
  }
  /// kCorrupt with the byte, kLimit.
  Result<script::Value> build();
  std::vector<std::string> take_notes() { return std::move(notes_); }
  /// Of the quantized tensors that were made.
  RootQuantizers take_quantizers() { return std::move(quantizers_); }

 private:
  Error corrupt(PickleId id, std::string message) const;
  Result<script::Value> value(PickleId id);
  Result<script::Value> make(PickleId id);
  Result<script::Value> make_call(PickleId id);
  Result<script::Value> make_tensor(PickleId id);
  Result<script::Value> make_quantized_tensor(PickleId id, const RebuiltTensor& rebuilt);
  Result<std::shared_ptr<const Quantizer>> make_quantizer(PickleId parts);
  Result<script::Value> make_object(PickleId id, const std::string& name);
  Result<script::Value> typed_list(PickleId arguments, std::string element);
  Result<std::vector<script::Value>> values(const std::vector<PickleId>& ids);
  Result<script::Value> dict(const std::vector<PickleId>& entries);
  void apply(const script::Type& type, const script::Value& value, int depth);
  std::shared_ptr<const script::ClassType> opaque(const std::string& name);

  struct StorageKey {
    const Storage* storage;
    uint64_t offset;
    DType dtype;
    Shape shape, strides;
    auto operator<=>(const StorageKey&) const = default;
  };

  const PickleTree& tree_;
  TensorRebuilder tensors_;
  const script::ClassTable& classes_;
  std::span<const script::Value> constants_;
  int64_t version_ = 3;
  int depth_ = 0;
  std::unordered_map<PickleId, script::Value> known_;
  std::unordered_map<PickleId, bool> open_;  // being made: a value that holds itself is refused
  std::map<StorageKey, std::shared_ptr<script::StorageRoot>> roots_;
  std::map<std::string, std::shared_ptr<const script::ClassType>> opaque_;
  RootQuantizers quantizers_;
  std::vector<std::string> notes_;
};

}  // namespace lanthorn
