#pragma once

#include <string_view>

namespace lanthorn {

/// Whether all that can be done with a name of a pickle makes plain data: numbers, texts,
/// containers, tensors, and objects of PyTorch's own module and optimizer classes.
bool is_safe_global(std::string_view module, std::string_view name);

/// What a name is known to do beyond making data; empty where nothing is known of it.
std::string_view danger_of_global(std::string_view module, std::string_view name);

/// A function of tensors alone, as torch.nn.functional and torch.* have them: "gelu".
bool is_tensor_function(std::string_view name);

}  // namespace lanthorn
