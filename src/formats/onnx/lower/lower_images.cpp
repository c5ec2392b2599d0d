// Resize, GridSample, RoiAlign and DepthToSpace.

#include <algorithm>

#include "formats/onnx/lower/lowerer.h"

namespace lanthorn::onnx {
namespace {

// Until opset 18 scales or sizes were for all axes.
Status resize_axes(Lowerer& l) {
  if (l.node.attributes.integer("antialias", 0) != 0) return l.unsupported("antialias, which came with opset 18");
  if (l.node.attributes.text("keep_aspect_ratio_policy", "stretch") != "stretch" && l.has_input(3)) {
    return l.unsupported("keep_aspect_ratio_policy, which came with opset 18");
  }
  l.node.attributes.remove("keep_aspect_ratio_policy");
  if (!l.node.attributes.has("axes")) return ok();
  const auto rank = l.rank(0);
  std::vector<int64_t> axes = l.node.attributes.ints("axes");
  if (!rank) return l.unsupported("axes, which came with opset 18");
  for (int64_t& axis : axes) axis += axis < 0 ? *rank : 0;
  const auto dims = static_cast<size_t>(*rank);
  const auto inside = [&](int64_t axis) { return axis >= 0 && axis < *rank; };
  if (!std::all_of(axes.begin(), axes.end(), inside)) return l.unsupported("an axis out of range");
  if (l.has_input(1)) return l.unsupported("a region of interest by axes");
  if (l.has_input(2)) {
    const Tensor* given = l.constant_input(2);
    const auto scales = given ? given->to_doubles() : std::nullopt;
    if (!scales || scales->size() != axes.size()) return l.unsupported("axes with computed scales");
    std::vector<float> all(dims, 1);
    for (size_t i = 0; i < axes.size(); ++i) all[static_cast<size_t>(axes[i])] = static_cast<float>((*scales)[i]);
    l.node.inputs[2] = l.constant(Tensor::of_floats(all));
  } else if (l.has_input(3)) {
    // The other axes keep their sizes, which are read from the input where they are free.
    const ValueId shape = l.emit("Shape", {l.node.inputs[0]});
    std::vector<ValueId> parts;
    for (int64_t axis = 0; axis < *rank; ++axis) {
      const auto chosen = std::find(axes.begin(), axes.end(), axis);
      const int64_t at = chosen == axes.end() ? axis : chosen - axes.begin();
      parts.push_back(l.emit("Slice", {chosen == axes.end() ? shape : l.node.inputs[3], l.ints({at}), l.ints({at + 1}), l.ints({0})}));
    }
    l.node.inputs[3] = l.emit("Concat", parts, {{"axis", int64_t{0}}});
  }
  l.node.attributes.remove("axes");
  return ok();
}

Status resize_symmetric(Lowerer& l) {
  if (l.node.attributes.text("coordinate_transformation_mode", "") != "half_pixel_symmetric") return ok();
  return l.unsupported("half_pixel_symmetric, which came with opset 19");
}

// Until opset 13 an input that is not meant was an empty tensor.
Status resize_empty(Lowerer& l) {
  if (!l.has_input(1)) l.node.inputs[1] = l.constant(Tensor::of_floats({}));
  if (l.node.inputs.size() < 3) l.node.inputs.resize(3, kNoValue);
  if (!l.has_input(2)) l.node.inputs[2] = l.constant(Tensor::of_floats({}));
  return ok();
}

// Resize-10 scales about the corner; the nearest pixel is the one below where it enlarges.
Status resize_about_corner(Lowerer& l) {
  const Attributes& a = l.node.attributes;
  const std::string mode(a.text("mode", "nearest"));
  const bool corner = a.text("coordinate_transformation_mode", "half_pixel") == "asymmetric";
  const bool below = mode == "linear" || a.text("nearest_mode", "round_prefer_floor") == "floor";
  if (!corner || !below || (mode != "linear" && mode != "nearest")) {
    return l.unsupported("how it finds its pixels, which came with opset 11");
  }
  ValueId scales = l.input(2);
  const Tensor* known = l.known(scales);
  if (!known || known->count() == 0) {
    const auto sizes = l.ints_input(3);
    const ValueType& type = l.type(0);
    if (!sizes || !type.ranked || !all_known(type.dims) || sizes->size() != type.dims.size()) {
      return l.unsupported("sizes, which came with opset 11");
    }
    std::vector<float> ratios;
    for (size_t i = 0; i < sizes->size(); ++i) {
      ratios.push_back(static_cast<float>((*sizes)[i]) / static_cast<float>(std::max<int64_t>(type.dims[i].value(), 1)));
    }
    const Tensor made = Tensor::of_floats(ratios);
    scales = l.constant(made);
    known = l.known(scales);
  }
  const auto values = known->to_doubles();
  if (mode == "nearest" && (!values || std::any_of(values->begin(), values->end(), [](double s) { return s < 1; }))) {
    return l.unsupported("how it finds the nearest pixel of a smaller picture, which came with opset 11");
  }
  l.node.inputs = {l.node.inputs[0], scales};
  l.node.attributes = {{"mode", mode}};
  return ok();
}

Status upsample(Lowerer& l) {
  l.node.op = "Upsample";
  if (l.opset >= 9) return ok();
  const Tensor* scales = l.constant_input(1);
  const auto values = scales ? scales->to_doubles() : std::nullopt;
  if (!values) return l.unsupported("its scales are computed, not constant");
  l.node.attributes.set("scales", std::vector<float>(values->begin(), values->end()));
  l.node.inputs.resize(1);
  return ok();
}

Status grid_sample_modes(Lowerer& l) {
  const std::string mode(l.node.attributes.text("mode", "linear"));
  if (l.rank(0) != 4) return l.unsupported("volumes, which came with opset 20");
  if (mode == "linear") l.node.attributes.set("mode", std::string("bilinear"));
  if (mode == "cubic") l.node.attributes.set("mode", std::string("bicubic"));
  return ok();
}

// RoiAlign-10 aligned pixels as output_half_pixel does.
Status roi_align(Lowerer& l) {
  if (l.node.attributes.text("coordinate_transformation_mode", "half_pixel") != "output_half_pixel") {
    return l.unsupported("coordinate_transformation_mode half_pixel, which came with opset 16");
  }
  l.node.attributes.remove("coordinate_transformation_mode");
  return ok();
}

// Before opset 11 DepthToSpace took the depth first; the other order is a transposition.
Status depth_to_space(Lowerer& l) {
  if (l.node.attributes.text("mode", "DCR") != "CRD") return ok();
  const ValueType& type = l.type(0);
  const int64_t block = l.node.attributes.integer("blocksize", 1);
  if (!type.ranked || type.dims.size() != 4 || !all_known(std::span(type.dims).subspan(1)) || block < 1) {
    return l.unsupported("mode CRD, which came with opset 11");
  }
  const int64_t channels = type.dims[1].value() / (block * block);
  const int64_t height = type.dims[2].value(), width = type.dims[3].value();
  const ValueId parts = l.emit("Reshape", {l.node.inputs[0], l.ints({-1, channels, block, block, height, width})});
  const ValueId moved = l.emit("Transpose", {parts}, {{"perm", std::vector<int64_t>{0, 1, 4, 2, 5, 3}}});
  l.emit_into(l.node.outputs, "Reshape", {moved, l.ints({-1, channels, height * block, width * block})});
  return ok();
}

// SpaceToDepth's other order came with opset 28.
Status space_to_depth(Lowerer& l) {
  if (l.node.attributes.text("mode", "DCR") != "CRD") return ok();
  const ValueType& type = l.type(0);
  const int64_t block = l.node.attributes.integer("blocksize", 1);
  if (!type.ranked || type.dims.size() != 4 || !all_known(std::span(type.dims).subspan(1)) || block < 1) {
    return l.unsupported("mode CRD, which came with opset 28");
  }
  const int64_t channels = type.dims[1].value();
  const int64_t height = type.dims[2].value() / block, width = type.dims[3].value() / block;
  const ValueId parts = l.emit("Reshape", {l.node.inputs[0], l.ints({-1, channels, height, block, width, block})});
  const ValueId moved = l.emit("Transpose", {parts}, {{"perm", std::vector<int64_t>{0, 1, 3, 5, 2, 4}}});
  l.emit_into(l.node.outputs, "Reshape", {moved, l.ints({-1, channels * block * block, height, width})});
  return ok();
}

constexpr LoweringRule kRules[] = {
    {"Resize", 19, resize_symmetric}, {"Resize", 18, resize_axes},
    {"Resize", 13, resize_empty},     {"Resize", 11, resize_about_corner},
    {"Resize", 10, upsample},         {"GridSample", 20, grid_sample_modes},
    {"RoiAlign", 16, roi_align},      {"DepthToSpace", 11, depth_to_space},
    {"SpaceToDepth", 28, space_to_depth},
};

}  // namespace

std::span<const LoweringRule> image_lowerings() { return kRules; }

}  // namespace lanthorn::onnx
