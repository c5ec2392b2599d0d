#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "lanthorn/result.h"
#include "lanthorn/tensor.h"

namespace lanthorn {

/// What is accepted when a file's tensors become a model's.
enum class LoadMode : uint8_t {
  kStrict,      // every name on both sides, every shape: load_state_dict(strict=True) of PyTorch
  kIgnoreKeys,  // names may be missing or too many, shapes must fit: strict=False of PyTorch
  kPartial,     // whatever fits is taken, and all else is reported
};

/// A tensor of both sides whose shape does not fit.
struct ShapeMismatch {
  std::string name;
  Shape in_file, in_model;
};

/// What did not fit, in the order of the model and of the file.
struct KeyReport {
  std::vector<std::string> missing;     // the model wants them, the file has them not
  std::vector<std::string> unexpected;  // the file has them, the model wants them not
  std::vector<ShapeMismatch> mismatched;

  bool clean() const { return missing.empty() && unexpected.empty() && mismatched.empty(); }
  /// What PyTorch's load_state_dict(strict=True) says, word for word, of a model of this class.
  /// Empty where everything fits.
  std::string text(std::string_view class_name = "Module") const;
};

struct LoadedState {
  StateDict
      state;  // the model's names, order, shapes and dtypes, with the file's values where they fit
  KeyReport report;
};

/// Puts `saved` into the place of `model`'s tensors: by name, cast to the model's dtype, a vector
/// into a scalar's place by its first number, as PyTorch does. Tensors that need no cast are
/// shared, not copied. kInvalidInput with the report where `mode` does not accept what was found;
/// kUnsupported for dtypes that cannot be cast.
Result<LoadedState> load_state_dict(const StateDict& model, const StateDict& saved,
                                    LoadMode mode = LoadMode::kStrict,
                                    std::string_view class_name = "Module");

}  // namespace lanthorn
