#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "lanthorn/object.h"
#include "lanthorn/result.h"
#include "lanthorn/tensor.h"
#include "lanthorn/value.h"

namespace lanthorn {

/// An input or output of a model. A dimension is a size, or -1 with a symbol's name (may be empty).
struct Port {
  struct Dim {
    int64_t size = -1;
    std::string symbol;
  };
  std::string name;
  std::string type = "tensor";  // "tensor", "sequence", "map", "optional", or the program's own word: "int"
  DType dtype = DType::kUndefined;
  bool has_shape = false;
  std::vector<Dim> shape;
  bool optional = false;
};

struct LoadOptions {
  uint64_t max_memory_bytes = uint64_t{256} << 20;  // for structures, beyond the mapping
  /// Shapes of inputs that the file does not tell: {"x", {-1, 3, 224, 224}}; -1 is free.
  std::vector<std::pair<std::string, Shape>> input_shapes;
};

/// What matrix products and convolutions compute in; all else is float32. kBF16 rounds their weights (half
/// the memory) and what is multiplied with them to bfloat16, and adds up in float32: errors of about 1e-2 of
/// the largest output, and speed where the processor has instructions for it.
enum class Precision : uint8_t { kF32, kBF16 };

struct SessionOptions {
  int threads = 0;                 // the most threads a run, loading and packing use; 0: all of the machine's
  Precision precision = Precision::kF32;
  bool optimize = true;            // false: the graph as it was written, reference kernels only
};

/// What a model keeps from call to call: made by the caller, reset and cloned at will. Not safe to
/// use from two runs at once.
class State {
 public:
  State();
  ~State();
  State(State&&) noexcept;
  State& operator=(State&&) noexcept;
  State clone() const;
  /// Back to what the file holds.
  void reset();

  struct Impl;
  Impl* impl() const { return impl_.get(); }

 private:
  std::unique_ptr<Impl> impl_;
};

/// One operator's share of the time of profiled runs.
struct ProfileRow {
  std::string node, op, kernel;
  std::string shape;
  double milliseconds = 0;
};

/// A model made ready for this machine. Every method is const and may be called from many threads at
/// once. Copies share.
class Session {
 public:
  /// Inputs by name, or by position where the name is empty. kInvalidInput names the input, what
  /// came and what the model wants.
  Result<std::vector<NamedValue>> run(std::span<const NamedValue> inputs) const;
  /// What a program (TorchScript) writes to its own attributes is in `state` for the next run.
  Result<std::vector<NamedValue>> run(std::span<const NamedValue> inputs, State& state) const;
  Result<std::vector<NamedTensor>> run(std::span<const NamedTensor> inputs) const;
  Result<std::vector<NamedTensor>> run(std::initializer_list<NamedTensor> inputs) const;

  const std::vector<Port>& inputs() const;
  const std::vector<Port>& outputs() const;
  /// Plans for these input shapes now, so that the first run costs no more than the others.
  Status warm(std::span<const NamedValue> inputs) const;
  /// Runs once and says what each operator took.
  Result<std::vector<ProfileRow>> profile(std::span<const NamedValue> inputs) const;

  struct Impl;
  explicit Session(std::shared_ptr<const Impl> impl);

 private:
  std::shared_ptr<const Impl> impl_;
};

/// A file that was loaded: immutable, shared. Copies share.
class Model {
 public:
  const std::string& format() const;          // "onnx", "torchscript", "torch", ...
  const std::string& format_version() const;
  const std::string& producer() const;
  /// Empty where the file holds no program.
  const std::vector<Port>& inputs() const;
  const std::vector<Port>& outputs() const;
  bool runnable() const;
  const StateDict& tensors() const;
  /// The object tree of a checkpoint; null where there is none.
  const ObjectTree* objects() const;
  const std::vector<std::pair<std::string, std::string>>& metadata() const;
  const std::vector<std::string>& notes() const;
  /// The graph as text, for people; of a program the one that its example inputs or its first
  /// weights lead to, or its code where none can be made.
  std::string program_text() const;
  /// The code of a program, file by file; empty where there is none.
  std::string code() const;
  /// True where the only output is a floating-point matrix [batch, classes >= 2].
  bool is_classifier() const;

  /// kUnsupported where the file holds no program: says what it is and what to do.
  Result<Session> session(const SessionOptions& options = {}) const;

  struct Impl;
  explicit Model(std::shared_ptr<const Impl> impl);
  const std::shared_ptr<const Impl>& impl() const { return impl_; }

 private:
  std::shared_ptr<const Impl> impl_;
};

/// Reads any supported file. The format is found from the bytes, not from the file's name.
Result<Model> load(const std::filesystem::path& path, const LoadOptions& options = {});
/// The named tensors of any file that has some.
Result<StateDict> load_state_dict(const std::filesystem::path& path, const LoadOptions& options = {});

}  // namespace lanthorn
