#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "ops/op.h"

namespace lanthorn {

/// What a shape rule answers where the operator's text forbids something.
Error refused(std::string message);

/// The shape that two shapes broadcast to, as NumPy. Unequal symbols become their maximum, since
/// all that fits is that they are equal or one of them is 1.
Result<Dims> broadcast_dims(std::span<const Dim> a, std::span<const Dim> b);
/// Of the inputs [first, last) that are present.
Result<Dims> broadcast_inputs(const InferContext& context, size_t first, size_t last);

/// An axis in [-rank, rank) as one in [0, rank).
Result<int64_t> normal_axis(int64_t axis, int64_t rank);
/// Axes in [0, rank), sorted; refuses one that is there twice.
Result<std::vector<int64_t>> normal_axes(std::span<const int64_t> axes, int64_t rank);

/// Refuses inputs [first, last) of different dtypes.
Status require_same_dtype(const InferContext& context, size_t first, size_t last);
Status require_rank(const InferContext& context, size_t input, int64_t at_least,
                    int64_t at_most = INT64_MAX);

/// The numbers of an integer input, if all of them are known.
std::optional<std::vector<int64_t>> known_ints(const InferContext& context, size_t input);
/// Dims that nothing is known of, for an output of known rank.
Dims unknown_dims(size_t rank);

/// Output 0 has the type of input 0. Nothing is told of its elements.
Status infer_same(InferContext& context);
/// Output 0 is input 0, its known elements too; also for functions that leave whole numbers alone.
Status infer_identity(InferContext& context);
/// Output 0 has the dtype of input 0 and the shape that all inputs broadcast to; one dtype for all.
Status infer_broadcast(InferContext& context);
/// Same, with a bool output.
Status infer_comparison(InferContext& context);

/// Sets the elements of output 0, which is set already, where those of the inputs are known:
/// element by element, with broadcasting.
void propagate(InferContext& context, Dim (*function)(const Dim&));
void propagate(InferContext& context, Dim (*function)(const Dim&, const Dim&));
/// What `function` gives for every element of the broadcast of these inputs, if all are known; the
/// elements of one call are in the order of `inputs`.
std::optional<Dims> broadcast_elements(
    const InferContext& context, std::span<const size_t> inputs,
    const std::function<std::optional<Dim>(std::span<const Dim>)>& function);
/// The elements of input `i` as they are.
void pass_elements(InferContext& context, size_t i = 0);

}  // namespace lanthorn
