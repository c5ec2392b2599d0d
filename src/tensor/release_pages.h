#pragma once

#include "lanthorn/tensor.h"

namespace lanthorn {

/// Takes the pages of a tensor in a mapped file out of this process's memory; the system keeps them
/// in its cache of files. The values stay what they are: who reads them brings the pages back.
/// Does nothing for other tensors.
void release_pages(const Tensor& tensor);

}  // namespace lanthorn
