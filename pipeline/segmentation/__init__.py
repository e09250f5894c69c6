"""Segmentation: texts cut into words or characters, by jieba or a trained model, around a user's own words."""
