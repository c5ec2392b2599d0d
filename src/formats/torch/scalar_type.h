#pragma once

#include <optional>
#include <string_view>

#include "lanthorn/tensor.h"

namespace lanthorn {

/// The dtype behind a storage class: "FloatStorage" of torch, torch.cuda, torch.storage, ...; also
/// those that only C++ writes ("Float8_e5m2Storage"). UntypedStorage is kU8. Nothing if unknown.
std::optional<DType> storage_dtype(std::string_view class_name);
/// The name of the storage class of a dtype, "FloatStorage"; empty for those that PyTorch keeps in
/// an UntypedStorage (the unsigned ones but uint8, float8, ...), and has no class for.
std::string_view storage_class(DType dtype);
/// The dtype of a global such as "torch.float16" or "torch.float4_e2m1fn_x2"; nothing if it is
/// none.
std::optional<DType> torch_dtype(std::string_view global);
/// The dtype of an old tensor class: "FloatTensor".
std::optional<DType> tensor_class_dtype(std::string_view class_name);

}  // namespace lanthorn
