#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "lanthorn/object.h"
#include "lanthorn/result.h"
#include "lanthorn/save.h"
#include "lanthorn/tensor.h"

namespace lanthorn {

enum class OptimizerKind : uint8_t { kSGD, kAdam, kAdamW, kRMSprop, kAdagrad, kOther };

/// The state_dict of an optimizer of torch.optim: its groups with their settings, and what it keeps
/// for each parameter ("step", "exp_avg", "exp_avg_sq", "momentum_buffer", "square_avg", "sum",
/// ...).
struct OptimizerState {
  struct Group {
    ObjectTree options;  // a dict: "lr", "betas", "weight_decay", ... in PyTorch's order
    std::vector<int64_t> parameters;  // numbers of its parameters

    /// A number among the options; `fallback` where there is none. A part of a tuple is "betas.0".
    double option(std::string_view name, double fallback) const;
    void set_option(std::string_view name, const PlainValue& value);
  };
  struct Parameter {
    int64_t number = 0;
    std::vector<NamedTensor> tensors;
    std::vector<PlainEntry> values;  // what is no tensor: an older PyTorch's "step", a None

    const Tensor* find(std::string_view name) const;
    /// Adds a tensor or takes the place of the one of this name.
    void set(std::string_view name, Tensor tensor);
    /// How many steps were made with it; 0 where nothing is kept of that.
    int64_t step() const;
    /// Sets "step" as PyTorch keeps it: a float32 scalar.
    void set_step(int64_t step);
  };
  std::vector<Group> groups;
  std::vector<Parameter> parameters;

  /// Which of torch.optim's it is, as far as the options tell: Adam and AdamW of before PyTorch 2.7
  /// have the same ones and count as Adam.
  OptimizerKind kind() const;
  /// The state of a parameter; it is made where there is none.
  Parameter& of(int64_t number);
};

/// The state of a new optimizer with one group of parameters 0 to count - 1, and the options that
/// PyTorch 2.13 gives it. `options` replaces some of them: {{"lr", 0.01}, {"betas.0", 0.95}}.
/// kUsage for an option that the optimizer has not, or kOther.
Result<OptimizerState> make_optimizer_state(OptimizerKind kind, int64_t parameter_count,
                                            const std::vector<PlainEntry>& options = {});

/// What a training loop keeps to go on later. Members that are empty are not in the file.
struct Checkpoint {
  std::optional<int64_t> epoch;
  StateDict model;
  /// "_metadata" of the model's state_dict: the version of each module; -1 where it has none.
  std::vector<std::pair<std::string, int64_t>> model_versions;
  std::optional<OptimizerState> optimizer;
  ObjectTree scheduler;  // a state_dict of torch.optim.lr_scheduler
  std::optional<double> loss;
  std::vector<std::pair<std::string, double>> metrics;
  ObjectTree rng;     // torch.get_rng_state() and the like
  ObjectTree config;  // "model_config": what the model is built from
  std::string pytorch_version, training_date, producer, git_commit;
  /// SHA-256 of tensors by their names in the file, as it was read. Where there are some, writing
  /// computes them anew.
  std::vector<std::pair<std::string, std::string>> digests;
  ObjectTree rest;  // a dict of what else is in the file

  /// The keys in the file. Reading sets them as they are found, so that writing keeps them.
  struct Keys {
    std::string epoch = "epoch", model = "model_state_dict", optimizer = "optimizer_state_dict",
                scheduler = "scheduler_state_dict", loss = "loss", metrics = "metrics",
                rng = "rng_state", config = "model_config";
  } keys;
  std::vector<std::string> order;  // of all keys as they were read; others follow

  /// A metric by name; "loss" is the loss where no metric is called so.
  std::optional<double> metric(std::string_view name) const;
};

/// Reads a checkpoint as people write them: {"epoch", "model_state_dict", "optimizer_state_dict",
/// "model_config", "pytorch_version", "training_date", ...} under these and other usual names, or a
/// bare state_dict. A whole model counts as its state_dict. What has no member is in `rest`, also
/// the model and the optimizer where they have an unusual shape. Errors as load(); kUnsupported for
/// a file that is no pickle and has no tensors.
Result<Checkpoint> load_checkpoint(const std::filesystem::path& path);
/// The same of a tree that is in memory.
Result<Checkpoint> checkpoint_of(const ObjectTree& tree);
/// The tree that is written. Tensors are shared, not copied.
ObjectTree checkpoint_tree(const Checkpoint& checkpoint);
/// Writes it, atomically, so that torch.load(weights_only=True) opens it.
Result<SaveReport> save_checkpoint(const Checkpoint& checkpoint, const std::filesystem::path& path);

}  // namespace lanthorn
