#pragma once

#include <optional>
#include <string>
#include <vector>

#include "lanthorn/model.h"
#include "serve/array_schema.h"
#include "transform/preprocess.h"

namespace lanthorn {

/// A model under a name, ready to answer /predict.
struct ServedModel {
  std::string name;
  std::string path;
  Session session;
  std::vector<Port> inputs;
  std::vector<ArraySchema> schemas;  // one for each input
  bool classifier = false;
  std::optional<Preprocess> pictures;  // how a picture becomes the input, where it is one
  std::vector<std::string> labels;     // names of a classifier's classes; may be empty

  /// Whether the only input is a picture: four dimensions, floating-point.
  bool takes_pictures() const { return pictures && inputs.size() == 1 && inputs[0].shape.size() == 4 && is_floating(inputs[0].dtype); }
};

/// Loads a model, plans it for one row, and runs that once.
Result<ServedModel> open_served_model(const std::string& name, const std::string& path, const LoadOptions& load_options,
                                      const SessionOptions& options);

struct Answer {
  unsigned status = 200;
  std::string body;  // JSON
};

/// Answers the body of POST /predict: {"data": ...} with {"prediction": [...]} for a classifier (and
/// "labels" where its classes have names), or {"output": ...}; mistakes get 422 in FastAPI's shape.
Answer predict(const ServedModel& model, std::string_view body);
/// The same for a body that is a PNG or JPEG picture.
Answer predict_picture(const ServedModel& model, std::string_view body);

}  // namespace lanthorn
