#pragma once

#include <span>

#include "lanthorn/tensor.h"

namespace lanthorn {

/// Tells the system that the pages of these mapped constants are not needed now, except of those in
/// `still_read`. Their values stay what they are: a later read brings the pages back.
void release_constants(std::span<const Tensor* const> constants, std::span<const Tensor* const> still_read);

}  // namespace lanthorn
