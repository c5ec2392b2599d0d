#pragma once

#include "optimize/layout.h"

namespace lanthorn {

// Rules of how a node can work on values whose axes lie in another order than it means. Each writes
// the node's new form and says true, or does nothing and says false: the node is not its own, or
// wants its inputs as they are meant.

/// Transpose: nothing is moved.
bool lay_out_transpose(Layout& layout, const Node& node);
/// Two-dimensional convolution and pooling: NHWC.
bool lay_out_image(Layout& layout, const Node& node);
/// Operators of one value at a time, with broadcasting.
bool lay_out_elementwise(Layout& layout, const Node& node);
/// Reductions, Concat, Split, Slice, Pad, Softmax, Resize and others that name axes.
bool lay_out_axes(Layout& layout, const Node& node);
/// LayerNormalization and products with a constant matrix, whose last axes must stay the last, and
/// FusedAttention.
bool lay_out_rows(Layout& layout, const Node& node);
/// Reshape, Flatten, Squeeze, Unsqueeze.
bool lay_out_reshape(Layout& layout, const Node& node);

/// The new node for `node`: same operator and attributes, no inputs and outputs yet.
Node relaid(const Node& node);

}  // namespace lanthorn
