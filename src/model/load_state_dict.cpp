#include "lanthorn/load_state_dict.h"

#include <new>

namespace lanthorn {
namespace {

/// A vector of numbers stands for a scalar by its first: PyTorch 0.3 had no scalars.
Result<Tensor> fitted(const Tensor& saved, const Tensor& wanted) {
  Tensor tensor = saved;
  if (wanted.rank() == 0 && saved.rank() == 1 && saved.count() > 0) {
    LAN_TRY(tensor, Tensor::view(saved.dtype(), {}, {}, saved.offset_bytes(), saved.storage()));
  }
  return tensor.dtype() == wanted.dtype() ? Result<Tensor>(tensor) : tensor.cast(wanted.dtype());
}

bool fits(const Tensor& saved, const Tensor& wanted) {
  return saved.shape() == wanted.shape() ||
         (wanted.rank() == 0 && saved.rank() == 1 && saved.count() > 0);
}

std::string quoted_list(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) {
    text.append(text.empty() ? "\"" : ", \"").append(name).append("\"");
  }
  return text;
}

/// torch.Size([2, 3])
std::string size_text(const Shape& shape) { return "torch.Size(" + shape_text(shape) + ")"; }

}  // namespace

std::string KeyReport::text(std::string_view class_name) const {
  if (clean()) return {};
  std::string text = "Error(s) in loading state_dict for " + std::string(class_name) + ":";
  if (!missing.empty()) text += "\n\tMissing key(s) in state_dict: " + quoted_list(missing) + ". ";
  if (!unexpected.empty()) {
    text += "\n\tUnexpected key(s) in state_dict: " + quoted_list(unexpected) + ". ";
  }
  for (const ShapeMismatch& mismatch : mismatched) {
    text += "\n\tsize mismatch for " + mismatch.name + ": copying a param with shape " +
            size_text(mismatch.in_file) + " from checkpoint, the shape in current model is " +
            size_text(mismatch.in_model) + ".";
  }
  return text;
}

Result<LoadedState> load_state_dict(const StateDict& model, const StateDict& saved, LoadMode mode,
                                    std::string_view class_name) try {
  LoadedState loaded;
  for (const NamedTensor& entry : model.entries()) {
    const Tensor* const found = saved.find(entry.name);
    if (!found) {
      loaded.report.missing.push_back(entry.name);
    } else if (!fits(*found, entry.tensor)) {
      loaded.report.mismatched.push_back({entry.name, found->shape(), entry.tensor.shape()});
    }
    if (!found || !fits(*found, entry.tensor)) {
      LAN_OK(loaded.state.add(entry.name, entry.tensor));
      continue;
    }
    auto tensor = fitted(*found, entry.tensor);
    if (!tensor) return std::move(tensor).error().at("tensor '" + entry.name + "'");
    LAN_OK(loaded.state.add(entry.name, *std::move(tensor)));
  }
  for (const NamedTensor& entry : saved.entries()) {
    if (!model.find(entry.name)) loaded.report.unexpected.push_back(entry.name);
  }
  KeyReport refused;
  if (mode != LoadMode::kPartial) refused.mismatched = loaded.report.mismatched;
  if (mode == LoadMode::kStrict) refused = loaded.report;
  if (!refused.clean()) {
    return Error{ErrorCode::kInvalidInput, refused.text(class_name), "",
                 "LoadMode::kPartial takes what fits and reports the rest."};
  }
  return loaded;
} catch (const std::bad_alloc&) {
  return Error{ErrorCode::kOutOfMemory, "not enough memory to load the state_dict", "", ""};
}

}  // namespace lanthorn
