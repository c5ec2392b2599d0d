#include <fstream>
#include <iterator>

#include <rapidjson/document.h>
#include <rapidjson/error/en.h>

#include "transform/preprocess.h"

namespace lanthorn {
namespace {

Preprocess imagenet() {
  Preprocess how;
  how.resize = {256};
  how.crop = {224, 224};
  how.mean = {0.485, 0.456, 0.406};
  how.std = {0.229, 0.224, 0.225};
  return how;
}

/// The statistics of scikit-learn's digits, as examples/digits was trained with.
Preprocess digits() {
  Preprocess how;
  how.mode = Preprocess::Mode::kGray;
  how.resize = {8, 8};
  how.mean = {0.3051};
  how.std = {0.3754};
  return how;
}

Error wrong(std::string_view key, std::string_view wanted) {
  return Error{ErrorCode::kUsage, "must be " + std::string(wanted), "'" + std::string(key) + "'", ""};
}

Result<std::vector<int64_t>> sizes(const rapidjson::Value& value, std::string_view key) {
  std::vector<int64_t> found;
  const auto add = [&](const rapidjson::Value& v) {
    if (!v.IsInt64() || v.GetInt64() < 1 || v.GetInt64() > 65535) return false;
    found.push_back(v.GetInt64());
    return true;
  };
  bool good = true;
  if (value.IsArray() && value.Size() >= 1 && value.Size() <= 2) {
    for (const auto& v : value.GetArray()) good = good && add(v);
  } else {
    good = add(value);
  }
  if (!good) return wrong(key, "a size or [height, width], from 1 to 65535");
  return found;
}

Result<std::vector<double>> numbers(const rapidjson::Value& value, std::string_view key, bool positive) {
  std::vector<double> found;
  if (!value.IsArray() || value.Size() < 1 || value.Size() > 4) return wrong(key, "a list of one number per channel");
  for (const auto& v : value.GetArray()) {
    if (!v.IsNumber() || (positive && v.GetDouble() <= 0)) return wrong(key, "a list of one number per channel");
    found.push_back(v.GetDouble());
  }
  return found;
}

Status read_field(const std::string& key, const rapidjson::Value& value, Preprocess& how) {
  if (value.IsNull()) return ok();
  if (key == "mode") {
    if (!value.IsString()) return wrong(key, "\"RGB\" or \"L\"");
    const std::string_view mode = value.GetString();
    if (mode != "RGB" && mode != "L") return wrong(key, "\"RGB\" or \"L\"");
    how.mode = mode == "L" ? Preprocess::Mode::kGray : Preprocess::Mode::kRgb;
    return ok();
  }
  if (key == "resize") {
    const rapidjson::Value* size = &value;
    if (value.IsObject()) {
      if (!value.HasMember("size")) return wrong(key, "an object with \"size\"");
      size = &value["size"];
      if (value.HasMember("interpolation")) {
        const auto& filter = value["interpolation"];
        const std::string_view name = filter.IsString() ? filter.GetString() : "";
        if (name != "bilinear" && name != "bicubic") return wrong("interpolation", "\"bilinear\" or \"bicubic\"");
        how.bicubic = name == "bicubic";
      }
    }
    LAN_TRY(how.resize, sizes(*size, key));
    return ok();
  }
  if (key == "crop") {
    LAN_TRY(how.crop, sizes(value, key));
    if (how.crop.size() == 1) how.crop.push_back(how.crop[0]);
    return ok();
  }
  if (key == "scale") {
    if (!value.IsNumber()) return wrong(key, "a number");
    how.scale = value.GetDouble();
    return ok();
  }
  if (key == "mean") {
    LAN_TRY(how.mean, numbers(value, key, false));
    return ok();
  }
  if (key == "std") {
    LAN_TRY(how.std, numbers(value, key, true));
    return ok();
  }
  if (key == "layout") {
    const std::string_view layout = value.IsString() ? value.GetString() : "";
    if (layout != "NCHW" && layout != "NHWC") return wrong(key, "\"NCHW\" or \"NHWC\"");
    how.channels_last = layout == "NHWC";
    return ok();
  }
  return Error{ErrorCode::kUsage, "is no setting of preprocessing", "'" + key + "'",
               "There are mode, resize, crop, scale, mean, std and layout."};
}

}  // namespace

Result<Preprocess> parse_preprocess(std::string_view json) {
  rapidjson::Document document;
  document.Parse<rapidjson::kParseIterativeFlag>(json.data(), json.size());
  if (document.HasParseError()) {
    return Error{ErrorCode::kUsage, std::string("is no JSON: ") + rapidjson::GetParseError_En(document.GetParseError()),
                 "byte " + std::to_string(document.GetErrorOffset()), ""};
  }
  if (!document.IsObject()) return Error{ErrorCode::kUsage, "must be a JSON object", "", ""};
  Preprocess how;
  // By position: comparing RapidJSON's iterators is ambiguous to Clang in C++20.
  for (rapidjson::SizeType i = 0; i < document.MemberCount(); ++i) {
    const auto& member = document.MemberBegin()[i];
    LAN_OK(read_field(member.name.GetString(), member.value, how));
  }
  return how;
}

Result<Preprocess> load_preprocess(std::string_view name_or_path) {
  if (name_or_path == "imagenet") return imagenet();
  if (name_or_path == "digits") return digits();
  std::ifstream file{std::string(name_or_path), std::ios::binary};
  if (!file) {
    return Error{ErrorCode::kNotFound, "cannot be opened", std::string(name_or_path),
                 "--preprocess takes imagenet, digits or the path of a JSON file."};
  }
  constexpr size_t kMaxBytes = 1 << 20;
  std::string text(kMaxBytes, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<size_t>(file.gcount()));
  auto how = parse_preprocess(text);
  if (!how) return std::move(how).error().at(name_or_path);
  return how;
}

}  // namespace lanthorn
