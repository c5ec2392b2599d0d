#pragma once

// The whole public API of lanthorn.
#include "lanthorn/checkpoint.h"
#include "lanthorn/checkpoint_store.h"
#include "lanthorn/load_state_dict.h"
#include "lanthorn/model.h"
#include "lanthorn/object.h"
#include "lanthorn/result.h"
#include "lanthorn/save.h"
#include "lanthorn/tensor.h"
#include "lanthorn/value.h"

namespace lanthorn {

/// "0.1.0"
std::string_view version();

}  // namespace lanthorn
